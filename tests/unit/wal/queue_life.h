// One life of a queue on a disk in memory, in virtual time: what waits, and for how long, is the test's
// choice.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"

namespace tideover::wal {

inline NewRecord record_of(std::string_view payload, std::uint32_t units = 1) {
  NewRecord record;
  record.bytes = std::string(kEnvelopeBytes, '\0') + std::string(payload);
  record.attributes.units = units;
  return record;
}

// What a record of this payload costs of a budget.
inline std::uint64_t cost_of(std::string_view payload) { return kEnvelopeBytes + payload.size(); }

struct QueueLife {
  explicit QueueLife(Store& disk, WalLimits wal_limits = {}) : store(disk), limits(wal_limits) {
    REQUIRE(run(queue.open()).has_value());
  }
  ~QueueLife() {
    disk_takes = std::chrono::milliseconds(1);
    writer.hurry();
    auto stop = [](Queue& q) -> awaitable<bool> {
      co_await q.stop();
      co_return true;
    };
    run(stop(queue));
  }

  template <class T>
  T run(awaitable<T> task) {
    std::optional<T> result;
    auto keep = [&result](awaitable<T> wanted) -> awaitable<void> {
      result.emplace(co_await std::move(wanted));
    };
    boost::asio::co_spawn(io, keep(std::move(task)), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    while (!result) REQUIRE(clock.step(clock.now() + std::chrono::hours(1)));
    return std::move(*result);
  }

  // Sees to it that it is under way; `answers` gets what becomes of it.
  void start_append(LaneId lane, std::string_view payload, std::vector<Result<>>* answers = nullptr) {
    auto append = [](Queue& q, LaneId to, NewRecord record, std::vector<Result<>>* out) -> awaitable<void> {
      Result<> answer = co_await q.append(to, std::move(record));
      if (out != nullptr) out->push_back(std::move(answer));
    };
    boost::asio::co_spawn(io, append(queue, lane, record_of(payload), answers), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
    clock.run_for(Duration{});
  }
  Result<> append(LaneId lane, std::string_view payload, std::uint32_t units = 1) {
    return run(queue.append(lane, record_of(payload, units)));
  }
  std::vector<std::string> payloads(CursorId cursor) {
    const auto batch = run(queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    std::vector<std::string> result;
    for (const StoredRecord& r : batch->records) result.emplace_back(r.payload());
    return result;
  }
  // What was born goes alone in front of the first record: from here on only what follows is counted.
  void settle_births() {
    REQUIRE(run(queue.flush()).has_value());
    metrics = {};
  }
  // Delivers all that there is.
  void drain(CursorId cursor) {
    while (true) {
      const auto batch = run(queue.read(cursor, 1 << 20));
      REQUIRE(batch.has_value());
      if (batch->next == batch->first) return;
      REQUIRE(queue.ack(cursor, {batch->next, {}, {}, 0, 0, 0}));
    }
  }

  Store& store;
  WalLimits limits;
  boost::asio::io_context io;
  sim::SimClock clock{io};
  Duration disk_takes = std::chrono::milliseconds(1);
  sim::SimWorker writer{clock, [this] { return disk_takes; }};
  sim::SimWorker reader{clock, [] { return Duration(std::chrono::milliseconds(1)); }};
  WalMetrics metrics;
  Queue queue{store, writer, reader, clock, limits, metrics};
};

}  // namespace tideover::wal
