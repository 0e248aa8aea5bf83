// For which want of room new records are refused, and that the want ends when its cause does.
#include "tests/unit/wal/queue_life.h"
#include "wal/retention.h"

namespace tideover::wal {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = 1 << 10;
const std::string kTenKiB(10 * kKiB - kEnvelopeBytes, 'x');

// A signal that may have so much backlog below the floor.
SignalId flows(QueueLife& life, std::uint64_t bytes) {
  SignalLimits limits;
  limits.flow_bytes = bytes;
  return life.queue.open_signal(limits);
}

CursorUsage usage_of(QueueLife& life, LaneId lane, std::string_view name) {
  for (CursorUsage& usage : life.queue.cursors(lane))
    if (usage.name == name) return std::move(usage);
  FAIL("no cursor " << name);
  return {};
}

// Takes everything that there is to read.
std::size_t deliver(QueueLife& life, CursorId cursor) {
  std::size_t records = 0;
  while (true) {
    const Result<Batch> batch = life.run(life.queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    if (batch->records.empty()) return records;
    records += batch->records.size();
    Ack ack;
    ack.upto = batch->next;
    REQUIRE(life.queue.ack(cursor, std::move(ack)));
  }
}

TEST_CASE(
    "below the floor data flows for as long as it is taken, and a backlog is refused at a small allowance") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);  // of which 200 are to be kept free
  disk.set_free_bytes(190 * kKiB);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 50 * kKiB)});
  const CursorId thanos = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  for (int i = 0; i < 100; ++i) {
    disk.set_free_bytes(190 * kKiB);
    REQUIRE(life.append(lane, kTenKiB).has_value());
    CHECK(deliver(life, thanos) == 1);
  }
  CHECK(life.queue.usage(lane).room_bytes == 50 * kKiB);
  int taken = 0;
  while (taken < 100 && !life.queue.refusal(lane, 10 * kKiB)) {
    REQUIRE(life.append(lane, kTenKiB).has_value());
    ++taken;
  }
  CHECK(taken == 5);
  CHECK(life.queue.usage(lane).room_bytes == 0);
  const Result<> refused = life.append(lane, kTenKiB);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == Errc::disk_floor);
  CHECK(refused.error().detail.find("204800 are to be kept free, and 51200 bytes are not delivered yet") !=
        std::string::npos);
  CHECK(deliver(life, thanos) == 5);
  CHECK(life.append(lane, kTenKiB).has_value());
}

TEST_CASE("the allowance below the floor is a signal's, however many lanes it has") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);
  disk.set_free_bytes(100 * kKiB);
  QueueLife life(disk);
  const SignalId logs = flows(life, 50 * kKiB), metrics = flows(life, 50 * kKiB);
  const LaneId one = life.queue.open_lane("logs/one", {0, true, logs});
  const LaneId two = life.queue.open_lane("logs/two", {0, true, logs});
  const LaneId other = life.queue.open_lane("metrics", {0, true, metrics});
  for (const LaneId lane : {one, two, other})
    life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  for (int i = 0; i < 3; ++i) REQUIRE(life.append(one, kTenKiB).has_value());
  for (int i = 0; i < 2; ++i) REQUIRE(life.append(two, kTenKiB).has_value());
  CHECK(life.append(one, kTenKiB).has_error());
  CHECK(life.append(two, kTenKiB).has_error());
  CHECK(life.append(other, kTenKiB).has_value());
}

TEST_CASE("below the floor a best-effort backlog grows no more, and refuses nobody") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);
  disk.set_free_bytes(900 * kKiB);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 50 * kKiB)});
  const CursorId thanos = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  life.queue.open_cursor(lane, "away", Keep::best_effort, StartAt::oldest);
  for (int i = 0; i < 10; ++i) REQUIRE(life.append(lane, kTenKiB).has_value());
  CHECK(deliver(life, thanos) == 10);
  disk.set_free_bytes(100 * kKiB);
  life.clock.run_for(2s);
  for (int i = 0; i < 20; ++i) {
    disk.set_free_bytes(100 * kKiB);
    REQUIRE(life.append(lane, kTenKiB).has_value());
    CHECK(deliver(life, thanos) == 1);
    life.clock.run_for(1s);
  }
  CHECK(usage_of(life, lane, "away").behind.bytes <= 100 * kKiB);
  CHECK(usage_of(life, lane, "away").ledger.lost[static_cast<std::size_t>(Reason::budget)] > 0);
  CHECK(usage_of(life, lane, "thanos").behind.bytes == 0);
  disk.set_free_bytes(900 * kKiB);
  life.clock.run_for(2s);
  for (int i = 0; i < 10; ++i) REQUIRE(life.append(lane, kTenKiB).has_value());
  life.clock.run_for(2s);
  CHECK(usage_of(life, lane, "away").behind.bytes > 100 * kKiB);  // it grows again
}

TEST_CASE("a file system that does not say its size has no floor") {
  MemStore disk;
  disk.set_total_bytes(0);
  disk.set_free_bytes(0);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 0)});
  life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  CHECK_FALSE(life.queue.refusal(lane, 10 * kKiB));
  CHECK(life.queue.usage(lane).room_bytes == kNoBound);
}

TEST_CASE("what can never fit into its budget is too large, and not asked for again") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {50 * kKiB, true});
  life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  const auto never = life.queue.refusal(lane, 50 * kKiB + 1);
  REQUIRE(never);
  CHECK(never->code == Errc::too_large);
  CHECK_FALSE(life.queue.refusal(lane, 50 * kKiB));
  REQUIRE(life.append(lane, "a").has_value());
  CHECK(life.queue.refusal(lane, 50 * kKiB)->code == Errc::over_budget);
}

TEST_CASE("a record larger than what is left above the floor is refused, and a smaller one is not") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);  // of which 200 are to be kept free
  disk.set_free_bytes(205 * kKiB);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 0)});
  life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  const Result<> large = life.append(lane, kTenKiB);
  REQUIRE(large.has_error());
  CHECK(large.error().code == Errc::disk_floor);
  CHECK(life.append(lane, "small").has_value());
}

TEST_CASE("free space is counted from the last look at the disk: what it saw is not counted again") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);  // of which 200 are to be kept free
  disk.set_free_bytes(300 * kKiB);
  WalLimits limits;
  limits.usage_interval = 1min;
  QueueLife life(disk, limits);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 0)});
  life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  for (int i = 0; i < 40; ++i) {
    REQUIRE(life.append(lane, kTenKiB).has_value());
    disk.set_free_bytes(300 * kKiB);  // somebody else deletes as much as we write
    life.clock.run_for(61s);
  }
  // Between two looks what is written counts, whatever the disk would say.
  int taken = 0;
  while (taken < 100) {
    disk.set_free_bytes(300 * kKiB);
    const Result<> appended = life.append(lane, kTenKiB);
    if (appended.has_error()) CHECK(appended.error().code == Errc::disk_floor);
    if (appended.has_error()) break;
    ++taken;
  }
  CHECK(taken == 10);
  disk.set_free_bytes(300 * kKiB);
  life.clock.run_for(61s);
  CHECK(life.append(lane, kTenKiB).has_value());
}

TEST_CASE(
    "what was written since the disk was looked at takes its room twice: it lies there, and is to be opened "
    "again") {
  MemStore disk;
  disk.set_total_bytes(1000 * kKiB);  // of which 200 are to be kept free
  disk.set_free_bytes(150 * kKiB);
  disk.set_reopen_bytes(20 * kKiB);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true, flows(life, 100 * kKiB)});
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  int taken = 0;
  while (taken < 100 && life.append(lane, kTenKiB).has_value()) ++taken;
  CHECK(taken == 7);
  CHECK(life.queue.refusal(lane, 10 * kKiB)->code == Errc::disk_floor);
}

TEST_CASE("what waits for its sync counts against the budget, whether it was given to the disk or not") {
  MemStore disk;
  QueueLife life(disk);
  const std::string payload = "0123456789";
  const LaneId lane = life.queue.open_lane("metrics", {8 * cost_of(payload), true});
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  life.settle();
  life.disk_takes = 1h;
  std::vector<Result<>> answers;
  for (int i = 0; i < 20; ++i) life.start_append(lane, payload, &answers);
  REQUIRE(answers.size() == 12);
  for (const Result<>& refused : answers) CHECK(refused.error().code == Errc::over_budget);
  life.disk_takes = 1ms;
  life.writer.hurry();
  life.clock.run_for(1s);
  CHECK(answers.size() == 20);
  CHECK(life.queue.usage(lane).held.bytes == 8 * cost_of(payload));
}

TEST_CASE("what waits for a disk that hangs is bounded, and said to be the disk's slowness") {
  MemStore disk;
  WalLimits limits;
  limits.waiting_bytes = 40 * kKiB;
  QueueLife life(disk, limits);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  REQUIRE(life.run(life.queue.flush()).has_value());  // what is born goes alone
  life.settle();
  life.disk_takes = 1h;
  std::vector<Result<>> answers;
  for (int i = 0; i < 8; ++i) life.start_append(lane, kTenKiB, &answers);
  REQUIRE(answers.size() == 3);  // one is with the disk, four wait
  for (const Result<>& refused : answers) CHECK(refused.error().code == Errc::unavailable);
  life.disk_takes = 1ms;
  life.writer.hurry();
  life.clock.run_for(1s);
  CHECK(answers.size() == 8);
  CHECK(life.append(lane, kTenKiB).has_value());
}

TEST_CASE("fresh records are read from memory, and no more of them are kept than the limit says") {
  MemStore disk;
  WalLimits limits;
  limits.tail_bytes = 5 * kTenKiB.size();
  QueueLife life(disk, limits);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  const CursorId away = life.queue.open_cursor(lane, "away", Keep::required, StartAt::oldest);
  for (int i = 0; i < 20; ++i) REQUIRE(life.append(lane, kTenKiB).has_value());
  disk.fail_next_read(Errc::io_error);
  const CursorId fresh = life.queue.open_cursor(lane, "fresh", Keep::required, StartAt::now);
  REQUIRE(life.append(lane, "new").has_value());
  CHECK(life.payloads(fresh) == std::vector<std::string>{"new"});  // the disk is not asked
  CHECK(life.run(life.queue.read(away, 1 << 20)).has_error());     // now it is
  CHECK(life.payloads(away).size() == 21);
}

TEST_CASE("what came during one sync is one group as far as its size allows, and the rest are the next") {
  MemStore disk;
  WalLimits limits;
  limits.group_bytes = 3 * kTenKiB.size();
  QueueLife life(disk, limits);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  life.settle();
  life.disk_takes = 100ms;
  std::vector<Result<>> answers;
  for (int i = 0; i < 7; ++i) life.start_append(lane, kTenKiB, &answers);
  life.clock.run_for(150ms);
  CHECK(answers.size() == 1);
  life.clock.run_for(100ms);
  CHECK(answers.size() == 4);
  life.clock.run_for(100ms);
  CHECK(answers.size() == 7);
  CHECK(life.metrics.commits == 3);
}

// Everything read so far goes to the side lane, which takes `bytes` of the disk.
Ack set_aside(LaneId to, Seq upto, std::size_t bytes) {
  Ack ack;
  ack.upto = upto;
  ack.diverts.push_back({to, record_of(std::string(bytes, 'p')), true});
  return ack;
}

TEST_CASE("reading goes on after what was set aside has become durable, and waits for it before") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  const LaneId parked = life.queue.open_lane("metrics/parked/thanos", {0, false});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  for (const char* payload : {"a", "b", "c", "d"}) REQUIRE(life.append(lane, payload).has_value());
  // Three times five MiB, each durable before the next: never too much at once.
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    REQUIRE_FALSE(life.payloads(cursor).empty());
    REQUIRE(life.queue.ack(cursor, set_aside(parked, Seq{seq + 1}, 5 << 20)));
    REQUIRE(life.run(life.queue.flush()).has_value());
  }
  CHECK(life.payloads(cursor) == std::vector<std::string>{"d"});
  // While the disk takes nothing they add up in memory, and an end is made of reading.
  disk.fail_commits_until_healed(Errc::disk_full);
  REQUIRE(life.queue.ack(cursor, set_aside(parked, Seq{5}, 9 << 20)));
  const auto held_up = life.run(life.queue.read(cursor, 1 << 20));
  REQUIRE(held_up.has_error());
  CHECK(held_up.error().code == Errc::unavailable);
  disk.heal();
  life.clock.run_for(5s);
  CHECK(life.run(life.queue.read(cursor, 1 << 20)).has_value());
  CHECK(life.queue.usage(parked).pending_units == 0);
}

}  // namespace
}  // namespace tideover::wal
