// A sender with its queue on a disk in memory, and the receiver at its far end, in virtual time.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/reject_record.h"
#include "forwarders/sender.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "tests/unit/forwarders/letters.h"
#include "wal/metrics.h"

namespace tideover::forward {

using namespace std::chrono_literals;

inline http::Response status(int code, std::string body = {}) { return {code, {}, std::move(body)}; }

// The receiver as the agent's lives see it: it outlives them.
struct Mgmt {
  std::string stored;
  std::function<std::optional<Result<http::Response>>(const std::string&)> refuses = [](const std::string&) {
    return std::nullopt;
  };

  Result<http::Response> take(const http::Request& request) {
    if (auto refused = refuses(request.body)) return *refused;
    stored += request.body;
    return status(204);
  }
};

// One life of a queue and its sender, in virtual time.
struct Life {
  // `doubts`: what is found at the start may have been sent before.
  explicit Life(wal::MemStore& disk, Mgmt& mgmt, SenderOptions options = {}, bool doubts = false,
                bool parks = true)
      : store(disk),
        destination(parks),
        transport(clock, [&mgmt](const http::Request& r) { return mgmt.take(r); }) {
    bool opened = false;
    auto open = [this, &opened]() -> awaitable<void> {
      const Result<> result = co_await queue.open();
      opened = result.has_value();
    };
    boost::asio::co_spawn(io, open(), boost::asio::detached);
    clock.run_for(1s);
    REQUIRE(opened);
    options.name = "thanos";
    options.lane_name = "metrics";
    options.lane = queue.open_lane("metrics", {0, true});
    options.start = wal::StartAt::oldest;
    if (!doubts) options.machine.doubtful_batches = 0;
    options.on_change = [this](const StateChange& change) { changes.push_back(change.to); };
    lane = options.lane;
    sender = std::make_unique<Sender>(queue, destination, transport, clock, options);
    boost::asio::co_spawn(io, sender->run(), [this](std::exception_ptr) { ended = true; });
  }

  ~Life() {
    if (sender) sender->stop();
    auto stop = [this]() -> awaitable<void> { co_await queue.stop(); };
    boost::asio::co_spawn(io, stop(), boost::asio::detached);
    clock.run_for(1s);
    CHECK(ended);
  }

  void append(std::string_view letters) {
    bool appended = false;
    wal::NewRecord record = word(letters);
    auto task = [this, &appended](wal::NewRecord r) -> awaitable<void> {
      const Result<> result = co_await queue.append(lane, std::move(r));
      appended = result.has_value();
    };
    boost::asio::co_spawn(io, task(std::move(record)), boost::asio::detached);
    while (!appended) REQUIRE(clock.step(clock.now() + 10s));
    accepted += letters.size();
  }

  // The account over the three cursors: everything accepted is somewhere, once.
  void check_account() {
    const SenderStatus s = sender->status();
    std::uint64_t settled = s.main.behind.units + s.parked.behind.units + s.quarantine.behind.units;
    for (const wal::CursorUsage* usage : {&s.main, &s.parked, &s.quarantine})
      settled += usage->ledger.settled() - usage->ledger.diverted;
    CHECK(settled == s.main.accepted.units);
  }

  std::vector<RejectView> rejects() {
    const wal::CursorId cursor = queue.open_cursor(queue.open_lane("metrics/rejects/thanos", {0, false}),
                                                   "thanos", wal::Keep::best_effort, wal::StartAt::oldest);
    auto task = [this, cursor]() -> awaitable<void> {
      const auto batch = co_await queue.read(cursor, 1 << 20);
      REQUIRE(batch.has_value());
      dead_letters = batch->records;
    };
    boost::asio::co_spawn(io, task(), boost::asio::detached);
    clock.run_for(1s);
    std::vector<RejectView> views;
    for (const auto& record : dead_letters) {
      const auto view = read_reject(record.payload());
      REQUIRE(view.has_value());
      views.push_back(*view);
    }
    return views;
  }

  wal::MemStore& store;
  boost::asio::io_context io;
  sim::SimClock clock{io};
  sim::SimWorker writer{clock, [] { return Duration(1ms); }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  wal::WalMetrics metrics;
  wal::Queue queue{store, writer, reader, clock, wal::WalLimits{}, metrics};
  WordDestination destination;
  WordTransport transport;
  std::unique_ptr<Sender> sender;
  LaneId lane;
  std::vector<State> changes;
  std::vector<wal::StoredRecord> dead_letters;
  std::uint64_t accepted = 0;
  bool ended = false;
};

}  // namespace tideover::forward
