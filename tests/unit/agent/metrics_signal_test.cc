// What the metrics signal says of its parts: status, metrics and log, over several destinations and their
// lanes.
#include "agent/metrics_signal.h"

#include "agent/server/byte_budget.h"
#include "forwarders/side_lanes.h"
#include "tests/unit/agent/signal_life.h"
#include "wal/retention.h"

namespace tideover {
namespace {

const std::string kOne = "http://one:1/";
const std::string kTwo = "http://two:2/";

std::string file_with(const std::string& destinations, const std::string& metrics = {}) {
  return "cluster: a\nmetrics:\n  listen: 127.0.0.1:0\n" + metrics + "  destinations:\n" + destinations;
}
std::string one(const std::string& more = {}) {
  return "    - {name: thanos, url: 'http://one:1/', from: oldest" + more + "}\n";
}
std::string two(const std::string& more = {}) {
  return "    - {name: archive, url: 'http://two:2/', from: oldest" + more + "}\n";
}

// 500 for every request that holds a sample of this time.
auto chokes_on(std::int64_t at_ms) {
  return [at_ms](const http::Request& request) -> Result<http::Response> {
    Mgmt only;
    only.requests.push_back(request);
    for (const test::Point& point : only.points())
      if (point.timestamp_ms == at_ms) return http::Response{500, {}, "panic"};
    return http::Response{204, {}, {}};
  };
}

TEST_CASE("the account is in balance after it was delivered from quarantine, and while it waits there") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  Mgmt& mgmt = life.mgmt[kOne];
  mgmt.answers = chokes_on(5'000);
  REQUIRE(life.write(3, 1'000).has_value());
  REQUIRE(life.write(1, 5'000).has_value());
  REQUIRE(life.write(2, 6'000).has_value());
  life.clock.run_for(1h);
  admin::DestinationSnapshot d = life.destination();
  CHECK(d.account.quarantined == 1);
  CHECK(d.account.ledger.delivered == 5);
  CHECK(d.account.in_balance());
  mgmt.answer(204);
  life.clock.run_for(10min);
  d = life.destination();
  CHECK(d.account.quarantined == 0);
  CHECK(d.account.ledger.delivered == 6);
  CHECK(d.account.accepted == 6);
  CHECK(d.account.in_balance());
}

TEST_CASE("the account is in balance after it was delivered from parking, and while it waits there") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  Mgmt& mgmt = life.mgmt[kOne];
  mgmt.answer(409, "add 3 samples: too old sample");
  REQUIRE(life.write(3).has_value());
  life.clock.run_for(100ms);
  // The move into the side lane is not durable yet, and the samples are shown all the same.
  CHECK(life.destination().account.parked == 3);
  CHECK(life.destination().account.in_balance());
  life.clock.run_for(10s);
  admin::DestinationSnapshot d = life.destination();
  CHECK(d.account.parked == 3);
  CHECK(d.account.waiting == 0);
  CHECK(d.account.in_balance());
  CHECK(d.last_error.find("too old sample") != d.last_error.npos);
  mgmt.answer(204);
  life.signal->retry_now();
  life.clock.run_for(5s);
  d = life.destination();
  CHECK(d.account.parked == 0);
  CHECK(d.account.ledger.delivered == 3);
  CHECK(d.account.in_balance());
}

TEST_CASE("the buffer shows what the slowest needs, and the oldest record of any destination") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one() + two()));
  REQUIRE(life.write(1).has_value());
  life.clock.run_for(1min);
  life.mgmt[kTwo].answer(503);
  const std::int64_t second_ms = to_unix_ms(life.clock.wall_now());
  REQUIRE(life.write(2).has_value());
  life.clock.run_for(1min);
  life.mgmt[kOne].answer(503);
  const std::int64_t third_ms = to_unix_ms(life.clock.wall_now());
  REQUIRE(life.write(3).has_value());
  life.clock.run_for(5min);

  const admin::SignalSnapshot s = life.signal->describe();
  REQUIRE(s.destinations.size() == 2);
  CHECK(s.destinations[0].oldest_ms == third_ms);
  CHECK(s.destinations[1].oldest_ms == second_ms);
  CHECK(s.buffer.oldest_ms == second_ms);
  CHECK(s.buffer.held.records == 2);
  CHECK(s.buffer.held.units == 5);
  CHECK(s.buffer.held.bytes == s.destinations[1].behind.bytes);
  CHECK(s.destinations[0].behind.units == 3);

  life.mgmt[kOne].answer(204);
  life.mgmt[kTwo].answer(204);
  life.clock.run_for(5min);
  CHECK(life.buffer().oldest_ms == 0);
  CHECK(life.buffer().held.units == 0);
}

TEST_CASE("places of the disk that cannot be read are shown") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one(), ""));
  CHECK(life.snapshot().store->unreadable_pages == 0);
  disk.set_unreadable_pages(3);
  life.clock.run_for(2s);  // the queue looks at the disk each second
  CHECK(life.snapshot().store->unreadable_pages == 3);
}

TEST_CASE("an outage that would fit is judged by the tighter of budget and disk") {
  wal::MemStore disk;
  constexpr std::uint64_t kMiB = 1 << 20;
  constexpr std::uint64_t kFloor = 200 * kMiB;  // a fifth of the disk
  disk.set_total_bytes(1000 * kMiB);
  disk.set_free_bytes(300 * kMiB);
  const bool disk_is_tight = GENERATE(true, false);
  SignalLife life(disk, file_with(one(), disk_is_tight ? "  max_bytes: 4GiB\n" : "  max_bytes: 10MiB\n"));
  for (int i = 0; i < 60; ++i) {
    life.signal->observe();
    REQUIRE(life.write(10).has_value());
    life.clock.run_for(2s);
  }
  const admin::BufferSnapshot b = life.buffer();
  const admin::StoreSnapshot store = *life.snapshot().store;
  CHECK(store.floor_bytes == kFloor);
  CHECK(store.total_bytes == 1000 * kMiB);
  CHECK(store.free_bytes > 299 * kMiB);
  CHECK(store.free_bytes <= 300 * kMiB);
  REQUIRE(b.survivable_seconds);
  const double rate = static_cast<double>(life.wal_metrics.appended_bytes) / 120;
  const double room = static_cast<double>(disk_is_tight ? 100 * kMiB : 10 * kMiB);
  CHECK(*b.survivable_seconds == Approx(room / rate).epsilon(0.05));
}

TEST_CASE("what a destination has sent and heard is its own, and says so") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one() + two(", required: false")));
  life.mgmt[kTwo].answer(503, "not ready");
  REQUIRE(life.write(7).has_value());
  life.clock.run_for(2s);  // some attempts, too few to suspect a sample
  const admin::SignalSnapshot s = life.signal->describe();
  const admin::DestinationSnapshot& up = s.destinations.at(0);
  CHECK(up.name == "thanos");
  CHECK(up.url == kOne);
  CHECK(up.required);
  CHECK(up.state == "up");
  CHECK(up.requests.at("2xx") == 1);
  CHECK(up.sent_samples == 7);
  CHECK(up.sent_bytes == life.mgmt[kOne].requests.at(0).body.size());
  CHECK(up.retries == 0);
  CHECK(up.last_error.empty());
  CHECK(up.last_success_ms > 0);
  CHECK(up.account.accepted == 7);
  CHECK(up.account.waiting == 0);
  const admin::DestinationSnapshot& away = s.destinations.at(1);
  CHECK_FALSE(away.required);
  CHECK(away.state == "down");
  CHECK(away.requests.at("5xx") == life.mgmt[kTwo].requests.size());
  CHECK(away.retries == life.mgmt[kTwo].requests.size() - 1);
  CHECK(away.sent_samples == 0);
  CHECK(away.last_error.find("not ready") != away.last_error.npos);
  CHECK(away.last_success_ms == 0);
  CHECK(away.account.waiting == 7);
  CHECK(away.behind.records == 1);
  CHECK(away.since_ms > to_unix_ms(life.clock.wall_now()) - 2'000);
}

TEST_CASE("a destination that left the configuration keeps its backlog as best effort until it is dropped") {
  wal::MemStore disk;
  {
    SignalLife life(disk, file_with(one() + two()));
    life.mgmt[kOne].answer(503);
    life.mgmt[kTwo].answer(503);
    REQUIRE(life.write(4).has_value());
    CHECK(life.signal->drop_cursor("archive").error().code == Errc::bad_input);  // it is configured
    life.clock.run_for(1s);
  }
  SignalLife life(disk, file_with(one()));
  life.clock.run_for(1min);
  admin::DestinationSnapshot gone = life.destination("archive");
  CHECK(gone.state == "detached");
  CHECK_FALSE(gone.required);
  CHECK(gone.account.waiting == 4);
  CHECK(gone.behind.units == 4);
  CHECK(gone.account.in_balance());
  for (const wal::CursorUsage& c : life.queue.cursors(life.lane))
    CHECK(c.keep == (c.name == "archive" ? wal::Keep::best_effort : wal::Keep::required));
  CHECK(life.signal->drop_cursor("nobody").error().code == Errc::not_found);
  const LogLines log;
  CHECK(life.signal->drop_cursor("archive").has_value());
  CHECK(log.last("an operator dropped a cursor").find("destination=archive") != std::string::npos);
  CHECK(life.signal->describe().destinations.size() == 1);
}

TEST_CASE("a full buffer is shown and logged once, with the reason, and so is the end of it") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one(), "  max_bytes: 1MiB\n"));
  life.mgmt[kOne].answer(503);
  const LogLines log;
  const std::string body = noise(200'000);
  for (int i = 0; i < 5; ++i) REQUIRE(life.post("/api/v1/write", body).status == 204);
  life.signal->observe();
  CHECK(life.buffer().refusing.empty());
  CHECK(log.count("refused with 503") == 0);
  for (int i = 0; i < 3; ++i) {
    const http::Response refused = life.post("/api/v1/write", body);
    CHECK(refused.status == 503);
    CHECK(refused.body.find("the buffer is full") != std::string::npos);
    life.signal->observe();
  }
  CHECK(life.buffer().refusing.find("the buffer is full") != std::string::npos);
  CHECK(log.count("new samples are refused with 503") == 1);
  CHECK(log.last("new samples are refused with 503").find("level=error") != std::string::npos);
  CHECK(log.last("new samples are refused with 503").find("the buffer is full") != std::string::npos);

  // A smaller one passes, which is no comfort to those that do not.
  REQUIRE(life.post("/api/v1/receive", noise(1'000)).status == 204);
  life.signal->observe();
  CHECK_FALSE(life.buffer().refusing.empty());
  const bool drained = GENERATE(true, false);
  if (drained) {
    life.mgmt[kOne].answer(204);
    life.clock.run_for(20s);
  } else {  // nobody asks for as much any more
    life.clock.run_for(61s);
  }
  CHECK(life.buffer().refusing.empty());
  life.signal->observe();
  life.signal->observe();
  CHECK(log.count("new samples are taken again") == 1);
}

TEST_CASE("a disk that takes nothing is shown as the reason for which samples are refused") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  disk.fail_commits_until_healed(Errc::disk_full);
  CHECK(life.post("/api/v1/write", noise(1'000)).status == 503);
  CHECK_FALSE(life.buffer().refusing.empty());
  disk.heal();
  life.clock.run_for(5s);
  CHECK(life.buffer().refusing.empty());
}

TEST_CASE("what intake took and refused is in the snapshot") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  CHECK(life.post("/api/v1/write", test::snappy_block(message(3, 7'000))).status == 204);
  CHECK(life.post("/api/v1/receive", "no snappy").status == 400);
  CHECK(life.post("/api/v1/other", "").status == 404);
  const admin::SignalSnapshot s = life.signal->describe();
  CHECK(s.remote_write->floats == 3);
  CHECK(s.remote_write->newest_ms == 7'002);
  CHECK(s.buffer.newest_ms == 7'002);
  CHECK(life.snapshot().store->wal.appended_records == 1);
  life.clock.run_for(10s);
  CHECK(life.mgmt[kOne].points().size() == 3);
}

TEST_CASE("a change of a destination's state is one line of log, with what the receiver said") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  const LogLines log;
  life.mgmt[kOne].answer(503, "quorum not reached");
  REQUIRE(life.write(1).has_value());
  life.clock.run_for(10min);
  CHECK(log.count("destination is down") == 1);
  const std::string down = log.last("destination is down");
  CHECK(down.find("level=warn") != down.npos);
  CHECK(down.find("destination=thanos") != down.npos);
  CHECK(down.find("before=up") != down.npos);
  CHECK(down.find("quorum not reached") != down.npos);
  life.mgmt[kOne].answer(401, "who are you");
  life.clock.run_for(2min);
  CHECK(log.last("destination is paused").find("who are you") != std::string::npos);
  life.mgmt[kOne].answer(204);
  life.clock.run_for(5min);
  CHECK(log.count("destination is up") == 1);
  CHECK(log.last("destination is up").find("level=info") != std::string::npos);
}

TEST_CASE("a disk below its floor is one line of log, with what it leaves, and so is the end of it") {
  constexpr std::int64_t kMiB = 1 << 20;
  wal::MemStore disk;
  disk.set_total_bytes(1000 * kMiB);
  disk.set_free_bytes(190 * kMiB);
  SignalLife life(disk, file_with(one(), "  max_bytes: 1GiB\n") + "disk: {keep_free: 20%}\n");
  const LogLines log;
  for (int i = 0; i < 3; ++i) life.signal->observe();
  REQUIRE(log.count("less free than is to be kept free") == 1);
  const std::string line = log.last("less free than is to be kept free");
  CHECK(line.find("level=warn") != line.npos);
  CHECK(line.find("free_bytes=" + std::to_string(190 * kMiB)) != line.npos);
  CHECK(line.find("floor_bytes=" + std::to_string(200 * kMiB)) != line.npos);
  CHECK(line.find("room_bytes=" + std::to_string(32 * kMiB)) != line.npos);
  disk.set_free_bytes(300 * kMiB);
  life.clock.run_for(2s);
  for (int i = 0; i < 3; ++i) life.signal->observe();
  CHECK(log.count("more free than is to be kept free again") == 1);
}

TEST_CASE("what the disk has lost is one line of log, once, with how much it is") {
  wal::MemStore disk;
  {
    SignalLife life(disk, file_with(one()));
    life.mgmt[kOne].answer(503);
    for (int i = 0; i < 6; ++i) REQUIRE(life.write(2, 1'000 + 10 * i).has_value());
    life.clock.run_for(1min);
  }
  REQUIRE(disk.damage(wal::lane_id("metrics"), Seq{2}));
  REQUIRE(disk.damage(wal::lane_id("metrics"), Seq{3}));
  const LogLines log;
  {
    SignalLife life(disk, file_with(one()));
    life.clock.run_for(1min);
    CHECK(life.destination().account.ledger.delivered == 8);
    for (int i = 0; i < 3; ++i) life.signal->observe();
    REQUIRE(log.count("samples are lost") == 1);
    const std::string line = log.last("samples are lost");
    CHECK(line.find("level=error") != line.npos);
    CHECK(line.find("destination=thanos") != line.npos);
    CHECK(line.find("samples=4 so_far=4") != line.npos);
  }
  SignalLife life(disk, file_with(one()));
  life.clock.run_for(1min);
  life.signal->observe();
  CHECK(log.count("samples are lost") == 1);  // an earlier life has told it
}

TEST_CASE("a stop waits for a receiver that takes the rest, and not for one that is away") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  const bool away = GENERATE(true, false);
  if (away) life.mgmt[kOne].answer(503);
  REQUIRE(life.write(1).has_value());
  if (away) life.clock.run_for(1min);
  const Time began = life.clock.now();
  life.run(life.signal->drain_until(life.clock.now() + 10s));
  CHECK(life.clock.now() - began < 1s);
  CHECK(life.destination().account.waiting == (away ? 1 : 0));
}

TEST_CASE("each side lane of each destination has its share of the budget") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one() + two(), "  max_bytes: 64MiB\n"));
  CHECK(life.queue.usage(life.lane).max_bytes == 64 << 20);
  for (const char* name : {"thanos", "archive"}) {
    const auto share = [&](std::string_view kind) {
      return life.queue.usage(wal::lane_id(forward::side_lane_name("metrics", kind, name))).max_bytes;
    };
    CHECK(share(forward::kParkedLane) == 16 << 20);
    CHECK(share(forward::kRejectsLane) == 4 << 20);
    CHECK(share(forward::kQuarantineLane) == 64 << 20);
  }
}

TEST_CASE("intake has the limits that follow from the memory, and both paths lead to it") {
  wal::MemStore disk;
  const bool small = GENERATE(true, false);
  const Sharers sharers{1, small ? std::size_t{3} : 1};
  SignalLife life(disk, "memory: {limit: 64MiB}\n" + file_with(one()), {}, sharers);
  const std::string body = noise(5 << 20);  // more than half of 8 MiB
  CHECK(life.post("/api/v1/write", body).status == (small ? 413 : 204));
  CHECK(life.post("/api/v1/receive", noise(1'000)).status == 204);
  CHECK(life.signal->describe().server->refused[server::Refusal::too_large] == (small ? 1 : 0));
}

TEST_CASE("intake takes its part of the budget that is shared, and no other") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  const auto shared = std::make_shared<server::ByteBudget>(24 << 20, 250ms);
  {
    MetricsSignal signal(SignalParts{life.io, life.clock, life.queue, life.config, life.settings, shared});
    Inheritance none;
    REQUIRE(signal.listen(none).has_value());
    CHECK(server::ByteShare(shared, 0).most() == 16 << 20);
  }
  life.clock.run_for(1ms);
  CHECK(server::ByteShare(shared, 0).most() == 24 << 20);
}

TEST_CASE("a buffer that would not last as long as promised is said once, and so is that it does again") {
  wal::MemStore disk;
  SignalLife life(disk, "guarantee: 1h\n" + file_with(one(), "  max_bytes: 64MiB\n"));
  const LogLines log;
  const auto run = [&life](int seconds, int samples) {
    for (int i = 0; i < seconds; i += 2) {
      life.signal->observe();
      REQUIRE(life.write(samples).has_value());
      life.clock.run_for(2s);
    }
  };
  run(60, 1);
  CHECK(log.count("would not last") == 0);
  run(60, 10'000);
  CHECK(log.count("would not last as long as promised") == 1);
  const std::string said = log.last("would not last");
  CHECK(said.find("level=warn") != said.npos);
  CHECK(said.find("guarantee_seconds=3600") != said.npos);
  CHECK(said.find("survivable_seconds=") != said.npos);
  run(7'200, 1);
  CHECK(log.count("would not last as long as promised") == 1);
  CHECK(log.count("lasts as long as promised again") == 1);
}

TEST_CASE("an operator's word ends the wait of a paused destination at once") {
  wal::MemStore disk;
  SignalLife life(disk, file_with(one()));
  life.mgmt[kOne].answer(401, "who are you");
  REQUIRE(life.write(1).has_value());
  life.clock.run_for(5s);
  REQUIRE(life.destination().state == "paused");
  life.mgmt[kOne].answer(204);
  life.clock.run_for(5s);
  REQUIRE(life.destination().state == "paused");
  life.signal->retry_now();
  life.clock.run_for(1s);
  CHECK(life.destination().account.ledger.delivered == 1);
}

}  // namespace
}  // namespace tideover
