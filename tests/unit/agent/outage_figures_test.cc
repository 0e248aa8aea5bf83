// What an operator asks in the night: how long is there room, when is it over, how old is the oldest. True in
// an outage, after a restart in it, and while a replay and new data share the line.
#include "tests/unit/agent/signal_life.h"

namespace tideover {
namespace {

std::string file(const std::string& more = {}, const std::string& metrics = {}) {
  return "cluster: a\nmetrics:\n  listen: 127.0.0.1:0\n" + metrics +
         "  destinations:\n    - {name: thanos, url: 'http://one:1/', from: oldest" + more + "}\n";
}

// So many samples each two seconds.
void run(SignalLife& life, Duration time, int samples) {
  for (Duration passed{}; passed < time; passed += 2s) {
    if (samples > 0) (void)life.write(samples, to_unix_ms(life.clock.wall_now()));
    life.signal->observe();
    life.clock.run_for(2s);
  }
}

TEST_CASE("a full buffer has no room for an outage, however long nothing more was taken") {
  wal::MemStore disk;
  SignalLife life(disk, file({}, "  max_bytes: 1MiB\n"));
  const LogLines log;
  life.mgmt["http://one:1/"].answer(503);
  const std::string body = noise(200'000);
  while (life.post("/api/v1/write", body).status == 204) run(life, 30s, 0);
  for (int i = 0; i < 360; ++i) {  // three hours, and somebody asks all the while
    CHECK(life.post("/api/v1/write", body).status == 503);
    run(life, 30s, 0);
    REQUIRE(life.buffer().survivable_seconds);
    REQUIRE(*life.buffer().survivable_seconds == 0);
  }
  CHECK(log.count("lasts as long as promised again") == 0);
}

TEST_CASE("after an outage that filled the buffer its rate is still known") {
  wal::MemStore disk;
  SignalLife life(disk, file({}, "  max_bytes: 1MiB\n"));
  life.mgmt["http://one:1/"].answer(503);
  const std::string body = noise(50'000);
  int stored = 0;
  for (; life.post("/api/v1/write", body).status == 204; ++stored) run(life, 30s, 0);
  const double rate = 50'000.0 / 30;
  for (int i = 0; i < 60; ++i) {
    CHECK(life.post("/api/v1/write", body).status == 503);
    run(life, 1min, 0);
  }
  life.mgmt["http://one:1/"].answer(204);
  run(life, 1min, 0);
  REQUIRE(life.destination().behind.records == 0);
  REQUIRE(life.buffer().survivable_seconds);
  CHECK(*life.buffer().survivable_seconds == Approx((1 << 20) / rate).epsilon(0.5));
}

TEST_CASE("right after a restart in an outage the room is judged by what has gathered in it") {
  wal::MemStore disk;
  Duration passed{};
  std::optional<double> before;
  {
    SignalLife life(disk, file({}, "  max_bytes: 64MiB\n"));
    life.mgmt["http://one:1/"].answer(503);
    run(life, 20min, 100);
    before = life.buffer().survivable_seconds;
    passed = life.clock.elapsed();
  }
  REQUIRE(before);
  SignalLife life(disk, file({}, "  max_bytes: 64MiB\n"));
  life.clock.jump_wall(passed);
  life.mgmt["http://one:1/"].answer(503);
  run(life, 4s, 0);  // nobody has sent anything yet
  REQUIRE(life.buffer().survivable_seconds);
  CHECK(*life.buffer().survivable_seconds == Approx(*before).epsilon(0.1));
  CHECK(life.destination().oldest_ms < to_unix_ms(life.clock.wall_now()) - 19 * 60 * 1000);
  run(life, 10min, 0);  // they have gone
  CHECK(life.buffer().survivable_seconds.value_or(1e9) > 2 * *before);
}

TEST_CASE("in an outage there is no pace and no end in sight") {
  wal::MemStore disk;
  SignalLife life(disk, file());
  run(life, 5min, 500);
  CHECK(life.destination().samples_per_second == Approx(250).epsilon(0.1));
  life.mgmt["http://one:1/"].answer(503);
  run(life, 30s, 500);
  REQUIRE(life.destination().state == "down");
  CHECK(life.destination().samples_per_second == 0);
  CHECK_FALSE(life.destination().eta_seconds);
}

TEST_CASE("the end of a replay is told in advance, new data included") {
  wal::MemStore disk;
  SignalLife life(disk, file(", max_bytes_per_second: 64KiB"));
  life.mgmt["http://one:1/"].answer(503);
  const auto live = [&life](Duration time) {  // 32 KiB each second, of a sample each
    for (Duration passed{}; passed < time; passed += 2s) {
      for (int i = 0; i < 8; ++i) {
        const test::Version v1 = test::Version::v1;
        wal::NewRecord record = test::new_record(test::snappy_plain(noise(8 << 10)), v1);
        record.attributes.arrival_ms = to_unix_ms(life.clock.wall_now());
        REQUIRE(life.run(life.queue.append(life.lane, std::move(record))).has_value());
      }
      life.signal->observe();
      life.clock.run_for(2s);
    }
  };
  live(5min);
  life.mgmt["http://one:1/"].answer(204);
  while (life.destination().state != "replaying") live(2s);
  live(70s);
  const admin::DestinationSnapshot d = life.destination();
  REQUIRE(d.state == "replaying");
  REQUIRE(d.eta_seconds);
  const Time then = life.clock.now();
  while (life.destination().state == "replaying") live(2s);
  const double took = std::chrono::duration<double>(life.clock.now() - then).count();
  CAPTURE(took, d.behind.units, d.samples_per_second);
  CHECK(took > 40);
  CHECK(*d.eta_seconds == Approx(took).epsilon(0.25));
  CHECK(static_cast<double>(d.behind.units) / d.samples_per_second < 0.7 * took);  // the inflow left out
}

TEST_CASE("the oldest of a destination that is gone is shown, and is the oldest of the buffer") {
  wal::MemStore disk;
  const std::string two = "    - {name: gone, url: 'http://two:2/', from: oldest}\n";
  std::int64_t oldest_ms = 0;
  Duration passed{};
  {
    SignalLife life(disk, file() + two);
    life.mgmt["http://two:2/"].answer(503);
    oldest_ms = to_unix_ms(life.clock.wall_now());
    REQUIRE(life.write(3).has_value());
    run(life, 10min, 1);
    passed = life.clock.elapsed();
  }
  SignalLife life(disk, file());
  life.clock.jump_wall(passed);
  run(life, 4s, 1);
  CHECK(life.destination("gone").oldest_ms == oldest_ms);
  CHECK(life.buffer().oldest_ms == oldest_ms);
  REQUIRE(life.signal->drop_cursor("gone").has_value());
  run(life, 2min, 1);
  CHECK(life.buffer().oldest_ms == 0);
}

}  // namespace
}  // namespace tideover
