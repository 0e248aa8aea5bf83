// What is given up for good, and what stays: cursors that an operator drops, records that nobody needs.
#include "tests/unit/wal/queue_life.h"

namespace tideover::wal {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a cursor that was dropped while its last move was in doubt stays dropped") {
  const auto outcome = GENERATE(MemStore::Outcome::lost, MemStore::Outcome::applied);
  MemStore disk;
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    const CursorId cursor = life.queue.open_cursor(lane, "gone", Keep::required, StartAt::oldest);
    REQUIRE(life.append(lane, "a").has_value());
    REQUIRE(life.append(lane, "b").has_value());
    REQUIRE(life.payloads(cursor).size() == 2);
    disk.fail_next_commit(Errc::io_error, outcome);
    REQUIRE(life.queue.ack(cursor, {Seq{2}, {}, {}, 0, 0, 0}));
    REQUIRE(life.run(life.queue.flush()).has_error());  // the store opens again in a second
    REQUIRE(life.queue.drop_cursor(lane, "gone").has_value());
    life.clock.run_for(5s);
    REQUIRE(life.run(life.queue.flush()).has_value());
    CHECK(life.queue.cursors(lane).empty());
  }
  disk.crash();
  QueueLife life(disk);
  CHECK(life.queue.cursors(life.queue.open_lane("metrics", {0, true})).empty());
}

TEST_CASE("the last record of a drained lane stays, and everything before it is given back") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  for (const char* payload : {"a", "b", "c"}) REQUIRE(life.append(lane, payload).has_value());
  CHECK(disk.record_count() == 3);
  life.drain(cursor);
  REQUIRE(life.run(life.queue.flush()).has_value());
  life.clock.run_for(1s);
  CHECK(disk.record_count() == 1);
  CHECK(life.queue.usage(lane).held_bytes == 0);
}

}  // namespace
}  // namespace tideover::wal
