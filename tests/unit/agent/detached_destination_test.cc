// A destination that is not in the configuration any more: what an operator sees of what it left behind.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "forwarders/side_lanes.h"
#include "tests/support/catch_result.h"
#include "tests/unit/agent/signal_life.h"

namespace tideover {
namespace {

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

TEST_CASE("what was set aside for a destination that is gone stays within its share") {
  Node node;
  std::vector<wal::Ack::Divert> diverts;
  for (std::uint32_t i = 0; i < 10; ++i) {
    node.append(5);
    diverts.push_back({node.parked, node.record(5), true});
  }
  node.settle(node.cursor, 11, std::move(diverts));
  node.append(1);  // so that it is not forgotten
  node.settings.metrics.parked_max_bytes = 1 << 20;
  CHECK(node.seen().account.parked == 50);
  node.settings.metrics.parked_max_bytes = 500;  // of ten records of more than 100 bytes
  node.seen();
  node.clock.run_for(5s);
  const admin::DestinationSnapshot gone = node.seen();
  CHECK(gone.account.parked < 25);
  CHECK(gone.account.ledger.lost[static_cast<std::size_t>(wal::Reason::budget)] == 50 - gone.account.parked);
}

TEST_CASE("dead letters of a destination that is gone stay within their share") {
  Node node;
  const LaneId rejects =
      node.queue.open_lane(forward::side_lane_name("metrics", forward::kRejectsLane, "gone"), {0, false});
  node.queue.open_cursor(rejects, "gone", wal::Keep::best_effort, wal::StartAt::oldest);
  std::vector<wal::Ack::Divert> diverts;
  for (std::uint32_t i = 0; i < 10; ++i) {
    node.append(5);
    diverts.push_back({rejects, node.record(5), false});
  }
  node.settle(node.cursor, 11, std::move(diverts));
  node.append(1);                                 // so that it is not forgotten
  node.settings.metrics.rejects_max_bytes = 500;  // of ten records of more than 100 bytes
  node.seen();
  node.clock.run_for(5s);
  CHECK(node.queue.usage(rejects).held.records < 5);
}

TEST_CASE("a detached destination is given no lane that it never had") {
  Node node;
  node.append(5);
  CHECK(node.seen().account.waiting == 5);
  CHECK(node.queue.find_lane(forward::side_lane_name("metrics", forward::kParkedLane, "gone")).has_value());
  CHECK_FALSE(
      node.queue.find_lane(forward::side_lane_name("metrics", forward::kQuarantineLane, "gone")).has_value());
}

const std::string kGone = "    - {name: gone, url: 'http://gone:1/'}\n";
const std::string kStays = "    - {name: stays, url: 'http://stays:1/'}\n";
std::string agent_for(const std::string& destinations, const std::string& metrics = {}) {
  return "cluster: a\nmetrics:\n  listen: 127.0.0.1:0\n" + metrics + "  destinations:\n" + destinations;
}

TEST_CASE("a destination that is renamed in an outage keeps what it had, and collects nothing more") {
  wal::MemStore disk;
  {
    SignalLife life(disk, agent_for(kGone + kStays));
    life.mgmt["http://gone:1/"].answer(503);
    REQUIRE(life.write(3).has_value());
    REQUIRE(life.write(4).has_value());
    life.clock.run_for(1min);
  }
  const std::uint64_t held = disk.usage().disk_bytes;
  for (int start = 0; start < 2; ++start) {
    LogLines log;
    SignalLife life(disk, agent_for(kStays));
    const std::string line = log.last("is not in the configuration any more keeps what it had");
    CHECK(line.find("level=warn") != line.npos);
    CHECK(line.find("destination=gone") != line.npos);
    CHECK(line.find("signal=metrics") != line.npos);
    CHECK(line.find("waiting=7 parked=0 quarantined=0") != line.npos);
    CHECK(line.find("tideover buffer drop-cursor") != line.npos);
    for (int i = 0; i < 20; ++i) REQUIRE(life.write(5).has_value());
    life.clock.run_for(1min);
    CHECK(life.destination("gone").state == "detached");
    CHECK(life.destination("gone").behind.units == 7);
    CHECK(life.destination("gone").account.accepted == 7);
    CHECK(life.destination("gone").account.in_balance());
    CHECK(life.buffer().held.units == 7);
    CHECK(disk.usage().disk_bytes < held + 1'000);  // the tail's witness
  }
  SignalLife life(disk, agent_for(kGone + kStays));
  REQUIRE(life.write(1).has_value());
  life.clock.run_for(1min);
  CHECK(life.mgmt["http://gone:1/"].points().size() == 8);
  CHECK(life.destination("gone").account.accepted == 8);
  CHECK(life.destination("gone").account.in_balance());
}

TEST_CASE("a destination that is removed with nothing left is forgotten, and the log says so once") {
  wal::MemStore disk;
  {
    SignalLife life(disk, agent_for(kGone + kStays));
    REQUIRE(life.write(3).has_value());
    life.clock.run_for(1min);
  }
  {
    LogLines log;
    SignalLife life(disk, agent_for(kStays));
    CHECK(log.count("kept nothing, and is forgotten") == 1);
    CHECK(life.signal->describe().destinations.size() == 1);
    REQUIRE(life.write(3).has_value());
    life.clock.run_for(1min);
  }
  LogLines log;
  SignalLife life(disk, agent_for(kStays));
  CHECK(log.count("is forgotten") == 0);
}

TEST_CASE("dead letters of a destination that is gone stay to be read until an operator drops them") {
  wal::MemStore disk;
  {
    SignalLife life(disk, agent_for(kGone + kStays));
    life.mgmt["http://gone:1/"].answer(400, "out of order sample");
    REQUIRE(life.write(1).has_value());
    life.clock.run_for(1min);
    REQUIRE(life.destination("gone").behind.units == 0);
  }
  LogLines log;
  SignalLife life(disk, agent_for(kStays));
  const std::string line = log.last("keeps what it had");
  CHECK(line.find("level=info") != line.npos);
  CHECK(line.find("dead_letters=1") != line.npos);
  life.clock.run_for(1min);
  CHECK(life.destination("gone").state == "detached");
  REQUIRE(life.signal->drop_cursor("gone"));
  CHECK(life.signal->describe().destinations.size() == 1);
}

TEST_CASE("one that has lost all it kept to those that stay is forgotten while the agent runs") {
  wal::MemStore disk;
  {
    SignalLife life(disk, agent_for(kGone + kStays, "  max_bytes: 1MiB\n"));
    life.mgmt["http://gone:1/"].answer(503);
    REQUIRE(life.write(2'000).has_value());  // as much as what will be refused
    life.clock.run_for(1min);
  }
  LogLines log;
  SignalLife life(disk, agent_for(kStays, "  max_bytes: 1MiB\n"));
  life.mgmt["http://stays:1/"].answer(503);
  while (life.write(2'000).has_value()) life.clock.run_for(2s);
  for (int i = 0; i < 5; ++i) {
    life.clock.run_for(2s);
    life.signal->observe();
  }
  CHECK(log.count("kept nothing, and is forgotten") == 1);
  CHECK(life.signal->describe().destinations.size() == 1);
}

}  // namespace
}  // namespace tideover
