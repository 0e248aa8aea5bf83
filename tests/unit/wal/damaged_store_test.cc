// What the queue makes of a store that damage took something from: nothing readable is lost, nothing is given
// a number twice, every account is closed, and nothing ends the process.
#include <catch2/catch.hpp>

#include "tests/support/catch_result.h"
#include "tests/support/mem_store.h"
#include "tests/support/threaded_life.h"
#include "wal/queue_state.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

using namespace test_support;
using Payloads = std::vector<std::string>;

const LaneId kMetrics = lane_id("metrics");

// Records "1" to `count` of as many units, none acknowledged.
void write(ThreadedLife& life, LaneId lane, std::uint32_t first, std::uint32_t last) {
  for (std::uint32_t i = first; i <= last; ++i) life.append(lane, std::to_string(i), i);
}

void acknowledge(ThreadedLife& life, CursorId cursor, Seq upto) {
  (void)life.payloads(cursor);
  Ack ack;
  ack.upto = upto;
  REQUIRE(life.queue.ack(cursor, ack));
  life.flush();
}

TEST_CASE("a group's loss to damage never takes the birth of a cursor") {
  const StartAt start = GENERATE(StartAt::now, StartAt::oldest);
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, start);
    write(life, lane, 1, 5);
    disk.crash();
  }
  disk.lose_group(1);
  disk.lose_group(2);
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, start);
  CHECK(life.drain(lane, cursor) == Payloads{"2", "3", "4", "5"});
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) == 1);
  CHECK(life.usage(lane, "thanos").accepted.units == 15);
}

TEST_CASE("no record is accepted before the birth of its lane's cursors is durable by itself") {
  MemStore disk;
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  life.append(lane, "1");
  CHECK(disk.commits() == 2);  // the births, then the record
  life.queue.open_cursor(lane, "late", Keep::required, StartAt::now);
  life.append(lane, "2");
  CHECK(disk.commits() == 4);
  disk.lose_group(3);
  disk.lose_group(4);
  CHECK(disk.meta(cursor_key("metrics", "late")));
}

TEST_CASE("a birth that the disk did not take comes again before the next record") {
  const auto outcome = GENERATE(MemStore::Outcome::lost, MemStore::Outcome::applied);
  MemStore disk;
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  disk.fail_next_commit(Errc::io_error, outcome);
  CHECK_FALSE(life.run(life.queue.append(lane, record("1"))).has_value());
  life.until([&] { return !life.queue.refusal(lane, 0); });
  life.append(lane, "1");
  CHECK(disk.meta(cursor_key("metrics", "thanos")));
  CHECK(decode_cursor(*disk.meta(cursor_key("metrics", "thanos")))->next == Seq{1});
}

TEST_CASE("a crash between a birth and the first record leaves what was born") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    life.flush();
    disk.crash();
  }
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  REQUIRE(life.queue.cursors(lane).size() == 1);
  CHECK(life.usage(lane, "thanos").position == Seq{1});
}

TEST_CASE("a cursor whose value is lost begins at the oldest record that exists") {
  const bool unreadable = GENERATE(false, true);
  const bool crash_again = GENERATE(false, true);
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    write(life, lane, 1, 6);
    acknowledge(life, cursor, Seq{4});
  }
  REQUIRE(disk.record_count() == 3);
  if (unreadable)
    disk.set_meta(cursor_key("metrics", "thanos"), std::string(1, '\1') + "no value");
  else
    disk.lose_meta(cursor_key("metrics", "thanos"));
  if (crash_again) {
    ThreadedLife life(disk);
    disk.crash();
  }
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  CHECK(life.usage(lane, "thanos").accepted.units == 4 + 5 + 6);
  CHECK(life.drain(lane, cursor) == Payloads{"4", "5", "6"});
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) == 0);
}

TEST_CASE("what only a lost cursor needs is kept until somebody opens it") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    write(life, lane, 1, 3);
  }
  disk.lose_meta();
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.append(lane, "4", 4);
    life.until([&, looks = 0]() mutable { return ++looks > 5; });
  }
  CHECK(disk.record_count() == 4);
}

TEST_CASE(
    "with both copies of the meta gone numbers go on, and everything that exists is delivered once more") {
  const bool crash_again = GENERATE(false, true);
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    const LaneId side = life.queue.open_lane("side", {});
    const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    life.queue.open_cursor(side, "thanos", Keep::best_effort, StartAt::oldest);
    write(life, lane, 1, 6);
    life.append(side, "s");
    acknowledge(life, cursor, Seq{4});
  }
  disk.lose_meta();
  if (crash_again) {
    ThreadedLife life(disk);
    disk.crash();
  }
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  life.append(lane, "7", 7);
  CHECK(life.drain(lane, cursor) == Payloads{"4", "5", "6", "7"});
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) == 0);
  CHECK(life.usage(lane, "thanos").accepted.units == 4 + 5 + 6 + 7);
  // A lane that is opened only later in this life knows its numbers, too.
  const LaneId side = life.queue.open_lane("side", {});
  const CursorId aside = life.queue.open_cursor(side, "thanos", Keep::best_effort, StartAt::oldest);
  life.append(side, "t");
  CHECK(life.drain(side, aside) == Payloads{"s", "t"});
}

TEST_CASE("the meta gone in the midst of a life is written anew") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    write(life, lane, 1, 3);
    acknowledge(life, cursor, Seq{3});
    REQUIRE(life.run(life.queue.put_checkpoint({"position", "17"})).has_value());
    disk.fail_next_commit(Errc::io_error);
    CHECK_FALSE(life.run(life.queue.append(lane, record("4"))).has_value());
    disk.lose_meta();
    life.until([&] { return !life.queue.refusal(lane, 0); });
    life.append(lane, "4", 4);
    disk.crash();
  }
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  CHECK(life.queue.checkpoint("position") == "17");
  CHECK(life.drain(lane, life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now)) ==
        Payloads{"3", "4"});
}

TEST_CASE(
    "records that an opening again does not find any more are counted, and their numbers not given twice") {
  MemStore disk;
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  write(life, lane, 1, 3);
  disk.fail_next_commit(Errc::io_error);
  CHECK_FALSE(life.run(life.queue.append(lane, record("x"))).has_value());
  disk.lose_group(4);  // that of record 3, with the lane's value
  life.until([&] { return !life.queue.refusal(lane, 0); });
  life.append(lane, "4", 4);
  life.drain(lane, cursor);
  CHECK(life.usage(lane, "thanos").ledger.settled() == 10);
  CHECK(life.usage(lane, "thanos").position == Seq{5});
}

TEST_CASE("two lanes whose names have one number do not mix, also after the meta is lost") {
  const std::string a = "a", b = "b";
  MemStore disk;
  LaneId first, second;
  // As if the name of `a` gave the number of `b`: it is taken when that comes.
  LaneValue taken;
  taken.number = lane_id(b);
  disk.set_meta(lane_key(a), encode(taken));
  {
    ThreadedLife life(disk);
    first = life.queue.open_lane(a, {});
    second = life.queue.open_lane(b, {});
    CHECK(first == lane_id(b));
    CHECK(second == LaneId{lane_id(b).value + 1});
    life.queue.open_cursor(first, "x", Keep::required, StartAt::now);
    life.queue.open_cursor(second, "x", Keep::required, StartAt::now);
    life.append(first, "of a");
    life.append(second, "of b");
  }
  {
    ThreadedLife life(disk);
    CHECK(life.queue.find_lane(a) == first);
    CHECK(life.queue.find_lane(b) == second);
  }
  disk.lose_meta();
  ThreadedLife life(disk);
  const LaneId again = life.queue.open_lane(b, {});
  CHECK(again == second);
  CHECK(life.drain(again, life.queue.open_cursor(again, "x", Keep::required, StartAt::now)) ==
        Payloads{"of b"});
}

TEST_CASE("a record of another lane is not read as one of this") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    const LaneId side = life.queue.open_lane("side", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    life.queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
    write(life, lane, 1, 3);
    for (int i = 0; i < 3; ++i) life.append(side, "foreign", 100);
  }
  disk.misplace(kMetrics, Seq{2}, lane_id("side"), Seq{2});
  disk.misplace(kMetrics, Seq{3}, lane_id("side"), Seq{1});  // whose number is another
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  CHECK(life.drain(lane, cursor) == Payloads{"1"});
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) == 5);
}

TEST_CASE("a cursor beyond the tail, and totals that do not fit, keep data flowing and the account closed") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    write(life, lane, 1, 3);
  }
  CursorState beyond = beginning_at(Seq{10}, {9, 5, 900});
  const auto where = GENERATE(Seq{10}, Seq{2});
  beyond.next = where;
  if (where == Seq{2}) beyond.settled = beyond.origin = {1000, 1000, 1 << 20};
  disk.set_meta(cursor_key("metrics", "thanos"), encode(beyond));
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {1000, true});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  CHECK_FALSE(life.queue.refusal(lane, 0));
  life.append(lane, "new");
  const Payloads delivered = life.drain(lane, cursor);
  REQUIRE_FALSE(delivered.empty());
  CHECK(delivered.back() == "new");
  if (where == Seq{2}) CHECK(delivered.size() == 3);
}

TEST_CASE("what a newer version wrote of a cursor or a lane is refused with a sentence, and kept") {
  const std::string key = GENERATE(cursor_key("metrics", "thanos"), lane_key("metrics"));
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    life.append(lane, "1");
  }
  std::string newer = *disk.meta(key);
  newer[0] = 4;
  disk.set_meta(key, newer);
  test::Loop loop;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", loop.io.get_executor()}, reader{"reader", loop.io.get_executor()};
  WalMetrics metrics;
  Queue queue(disk, writer, reader, clock, quick(), metrics);
  const Result<> refused = loop.result_of(queue.open());
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == Errc::store_refused);
  CHECK(refused.error().detail.find("metrics") != std::string::npos);
  CHECK(refused.error().detail.find("newer version") != std::string::npos);
  loop.run(queue.stop());
  CHECK(disk.meta(key) == newer);
}

TEST_CASE("a lane at the end of its numbers refuses, and does not begin again") {
  MemStore disk;
  LaneValue full;
  full.number = kMetrics;
  full.state.tail = Seq{kNumberMax - 1};
  disk.set_meta(lane_key("metrics"), encode(full));
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  CHECK(life.run(life.queue.append(lane, record("1"))).error().code == Errc::unavailable);
}

}  // namespace
}  // namespace tideover::wal
