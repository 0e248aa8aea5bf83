// A destination that is not in the configuration any more: what an operator sees of what it left behind.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "agent/metrics_signal.h"
#include "forwarders/side_lanes.h"
#include "tests/support/mem_store.h"
#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "wal/metrics.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

struct Node {
  Node() {
    run([this]() -> awaitable<void> { co_await queue.open(); });
    lane = queue.open_lane("metrics", {0, true});
    cursor = queue.open_cursor(lane, "gone", wal::Keep::required, wal::StartAt::oldest);
    parked = queue.open_lane(forward::side_lane_name("metrics", forward::kParkedLane, "gone"), {0, false});
    parked_cursor = queue.open_cursor(parked, "gone", wal::Keep::best_effort, wal::StartAt::oldest);
    config.cluster = "app1";
    config.metrics.emplace();
  }
  ~Node() {
    run([this]() -> awaitable<void> { co_await queue.stop(); });
  }

  template <class Task>
  void run(Task task) {
    boost::asio::co_spawn(io, task(), boost::asio::detached);
    clock.run_for(2s);
  }
  wal::NewRecord record(std::uint32_t units) {
    wal::NewRecord r;
    r.bytes.assign(wal::kEnvelopeBytes, '\0');
    r.bytes.push_back('x');
    r.attributes.units = units;
    return r;
  }
  void append(std::uint32_t units) {
    auto task = [this, units]() -> awaitable<void> {
      wal::NewRecord r = record(units);
      co_await queue.append(lane, std::move(r));
    };
    run(task);
  }
  void settle(wal::CursorId whose, std::uint64_t upto, std::vector<wal::Ack::Divert> diverts) {
    auto task = [&, this]() -> awaitable<void> {
      co_await queue.read(whose, 1 << 20);
      wal::Ack ack;
      ack.upto = Seq{upto};
      ack.diverts = std::move(diverts);
      queue.ack(whose, std::move(ack));
    };
    run(task);
  }
  admin::DestinationSnapshot seen() {
    MetricsSignal signal(SignalParts{io, clock, queue, config, settings});
    REQUIRE(signal.open().has_value());
    const admin::SignalSnapshot snapshot = signal.describe();
    REQUIRE(snapshot.destinations.size() == 1);
    CHECK(snapshot.destinations[0].state == "detached");
    CHECK(snapshot.destinations[0].account.in_balance());
    return snapshot.destinations[0];
  }

  boost::asio::io_context io;
  sim::SimClock clock{io};
  sim::SimWorker writer{clock, [] { return Duration(1ms); }};
  sim::SimWorker reader{clock, [] { return Duration(1ms); }};
  wal::MemStore store;
  wal::WalMetrics metrics;
  wal::Queue queue{store, writer, reader, clock, wal::WalLimits{}, metrics};
  config::Config config;
  Settings settings;
  LaneId lane;
  LaneId parked;
  wal::CursorId cursor;
  wal::CursorId parked_cursor;
};

TEST_CASE("what a detached destination has parked is shown as parked as long as it is, and not longer") {
  Node node;
  node.append(5);
  node.append(7);
  CHECK(node.seen().account.waiting == 12);
  std::vector<wal::Ack::Divert> diverts;
  diverts.push_back({node.parked, node.record(5), true});
  node.settle(node.cursor, 2, std::move(diverts));
  CHECK(node.seen().account.parked == 5);
  CHECK(node.seen().account.waiting == 7);
  node.settle(node.parked_cursor, 2, {});
  CHECK(node.seen().account.parked == 0);
  CHECK(node.seen().account.ledger.delivered == 5);
}

TEST_CASE("a detached destination is given no lane that it never had") {
  Node node;
  node.append(5);
  CHECK(node.seen().account.waiting == 5);
  CHECK(node.queue.find_lane(forward::side_lane_name("metrics", forward::kParkedLane, "gone")).has_value());
  CHECK_FALSE(
      node.queue.find_lane(forward::side_lane_name("metrics", forward::kQuarantineLane, "gone")).has_value());
}

}  // namespace
}  // namespace tideover
