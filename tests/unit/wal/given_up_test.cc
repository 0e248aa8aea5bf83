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
  CHECK(life.queue.usage(lane).held.bytes == 0);
}

TEST_CASE(
    "a budget that was lowered costs a required cursor nothing: new records wait until it has caught up") {
  MemStore disk;
  const auto keep = GENERATE(Keep::required, Keep::best_effort);
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    life.queue.open_cursor(lane, "a", keep, StartAt::oldest);
    for (int i = 0; i < 10; ++i) REQUIRE(life.append(lane, "0123456789").has_value());
  }
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {3 * cost_of("0123456789"), true});
  const CursorId cursor = life.queue.open_cursor(lane, "a", keep, StartAt::oldest);
  const Result<> more = life.append(lane, "0123456789");
  CHECK(more.has_error() == (keep == Keep::required));
  REQUIRE(life.run(life.queue.flush()).has_value());
  life.clock.run_for(10s);
  const std::uint64_t dropped =
      life.queue.cursors(lane).at(0).ledger.lost[static_cast<std::size_t>(Reason::budget)];
  if (keep == Keep::best_effort) {
    CHECK(dropped >= 8);
    CHECK(life.queue.usage(lane).held.bytes <= 3 * cost_of("0123456789"));
    return;
  }
  CHECK(dropped == 0);
  CHECK(life.payloads(cursor).size() == 10);
  life.drain(cursor);
  CHECK(life.append(lane, "0123456789").has_value());
}

TEST_CASE("a stop makes durable what was acknowledged just before it") {
  MemStore disk;
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    const CursorId cursor = life.queue.open_cursor(lane, "a", Keep::required, StartAt::oldest);
    REQUIRE(life.append(lane, "a").has_value());
    REQUIRE(life.append(lane, "b").has_value());
    REQUIRE(life.payloads(cursor).size() == 2);
    REQUIRE(life.queue.ack(cursor, {Seq{2}, {}, {}, 0, 0, 0}));
  }
  disk.crash();
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  CHECK(life.payloads(life.queue.open_cursor(lane, "a", Keep::required, StartAt::oldest)) ==
        std::vector<std::string>{"b"});
}

// A disk whose meta of lanes is gone, as damage may take it: the last record is the second witness.
class ForgetsLanes final : public Store {
 public:
  explicit ForgetsLanes(MemStore& inner) : inner_(inner) {}
  Result<StoreImage> open() override {
    auto image = inner_.open();
    if (image) std::erase_if(image->meta, [](const auto& entry) { return entry.first.starts_with("lane/"); });
    return image;
  }
  Result<> commit(const StoreBatch& batch) override { return inner_.commit(batch); }
  Result<ReadRange> read(const ReadRequest& request) override { return inner_.read(request); }
  void release(LaneId lane, const Released& released) override { inner_.release(lane, released); }
  StoreUsage usage() const override { return inner_.usage(); }

 private:
  MemStore& inner_;
};

TEST_CASE("a lane whose meta is gone goes on behind its last record, and gives no number twice") {
  MemStore disk;
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    life.queue.open_cursor(lane, "a", Keep::required, StartAt::oldest);
    for (const char* payload : {"a", "b", "c"}) REQUIRE(life.append(lane, payload, 2).has_value());
  }
  ForgetsLanes forgetful(disk);
  QueueLife life(forgetful);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  const CursorId cursor = life.queue.open_cursor(lane, "a", Keep::required, StartAt::oldest);
  REQUIRE(life.append(lane, "d", 2).has_value());
  CHECK(life.payloads(cursor) == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(life.queue.usage(lane).accepted.units == 8);
}

}  // namespace
}  // namespace tideover::wal
