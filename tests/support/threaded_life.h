// One life of a queue on a store that outlives it: opened by its constructor, stopped by its destructor.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/loop.h"
#include "wal/base/notifier.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/queue.h"

namespace tideover::wal::test_support {

inline NewRecord record(const std::string& payload, std::uint32_t units = 1) {
  NewRecord record;
  record.bytes = std::string(kEnvelopeBytes, '\0') + payload;
  record.attributes.units = units;
  return record;
}

// Nothing waits longer than it must.
inline WalLimits quick() {
  WalLimits limits;
  limits.ack_delay = std::chrono::milliseconds(1);
  limits.reopen_delay = std::chrono::milliseconds(1);
  limits.usage_interval = std::chrono::milliseconds(1);
  return limits;
}

struct ThreadedLife {
  explicit ThreadedLife(Store& disk, WalLimits wal_limits = quick()) : store(disk), limits(wal_limits) {
    const Result<> opened = run(queue.open());
    REQUIRE(opened.has_value());
  }
  ~ThreadedLife() { stop(); }

  template <class T>
  T run(awaitable<T> task) {
    return loop.result_of(std::move(task));
  }
  void stop() { loop.run(queue.stop()); }
  void append(LaneId lane, const std::string& payload, std::uint32_t units = 1) {
    REQUIRE(run(queue.append(lane, record(payload, units))).has_value());
  }
  void flush() { REQUIRE(run(queue.flush()).has_value()); }

  std::vector<std::string> payloads(CursorId cursor) {
    const auto batch = run(queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    std::vector<std::string> result;
    for (const StoredRecord& r : batch->records) result.emplace_back(r.payload());
    return result;
  }
  // Reads and acknowledges everything; what was delivered.
  std::vector<std::string> drain(LaneId lane, CursorId cursor) {
    std::vector<std::string> result;
    while (true) {
      const auto batch = run(queue.read(cursor, 1 << 20));
      REQUIRE(batch.has_value());
      if (!(batch->first < batch->next)) break;
      for (const StoredRecord& r : batch->records) result.emplace_back(r.payload());
      Ack ack;
      ack.upto = batch->next;
      REQUIRE(queue.ack(cursor, ack));
    }
    flush();
    check_closed(lane);
    return result;
  }
  CursorUsage usage(LaneId lane, std::string_view name) {
    for (CursorUsage& c : queue.cursors(lane))
      if (c.name == name) return c;
    FAIL("no cursor of that name");
    return {};
  }
  // accepted = delivered + lost + diverted + queued
  void check_closed(LaneId lane) {
    for (const CursorUsage& c : queue.cursors(lane))
      CHECK(c.accepted.units == c.ledger.settled() + c.behind.units);
  }
  // Until `holds`, looking once a millisecond.
  template <class Holds>
  void until(Holds holds) {
    loop.run(look(holds));
  }

  Store& store;
  WalLimits limits;
  test::Loop loop;
  boost::asio::io_context& io = loop.io;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", io.get_executor()};
  ThreadWorker reader{"reader", io.get_executor()};
  WalMetrics metrics;
  Queue queue{store, writer, reader, clock, limits, metrics};

 private:
  template <class Holds>
  awaitable<void> look(Holds holds) {
    while (!holds()) {
      const Time later = clock.now() + std::chrono::milliseconds(1);
      co_await sleep_until(clock, later);
    }
  }
};

inline std::uint64_t lost(const CursorUsage& cursor, Reason reason) {
  return cursor.ledger.lost[static_cast<std::size_t>(reason)];
}

}  // namespace tideover::wal::test_support
