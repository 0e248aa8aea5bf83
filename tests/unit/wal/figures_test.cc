// What the queue counts about itself and says of its lanes and cursors: each figure against what was done.
#include <map>

#include "tests/unit/wal/queue_life.h"
#include "wal/queue_state.h"

namespace tideover::wal {
namespace {

using namespace std::chrono_literals;

// In which bucket a histogram has its only observation.
double bucket_of(const Histogram& h) {
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i)
    if (h.counts[i] > 0) return Histogram::kBounds[i];
  return 0;
}
std::uint64_t count_of(const Histogram& h) {
  std::uint64_t n = 0;
  for (const std::uint64_t c : h.counts) n += c;
  return n;
}

TEST_CASE("records, bytes and groups are counted when they are durable, and the time that took") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  life.settle();
  life.disk_takes = 200ms;
  std::vector<Result<>> answers;
  life.start_append(lane, "alone", &answers);
  life.clock.run_for(150ms);
  CHECK(life.metrics.appended_records == 0);
  for (const char* payload : {"one", "of", "three"}) life.start_append(lane, payload, &answers);
  life.clock.run_for(150ms);
  CHECK(answers.size() == 1);
  CHECK(life.metrics.appended_records == 1);
  CHECK(life.metrics.appended_bytes == cost_of("alone"));
  CHECK(life.metrics.commits == 1);
  CHECK(bucket_of(life.metrics.commit_seconds) == 0.25);
  CHECK(bucket_of(life.metrics.append_seconds) == 0.25);
  life.clock.run_for(1s);
  CHECK(answers.size() == 4);
  CHECK(life.metrics.appended_records == 4);
  CHECK(life.metrics.appended_bytes == cost_of("alone") + cost_of("one") + cost_of("of") + cost_of("three"));
  CHECK(life.metrics.commits == 2);
  CHECK(count_of(life.metrics.commit_seconds) == 2);
  CHECK(count_of(life.metrics.append_seconds) == 4);
  CHECK(life.metrics.commit_seconds.sum == Approx(0.4).epsilon(0.01));
  CHECK(life.metrics.append_seconds.sum ==
        Approx(0.2 + 3 * 0.25).epsilon(0.01));  // they waited for the first
  CHECK(life.metrics.commit_failures == 0);
  CHECK(life.metrics.reopens == 0);
}

TEST_CASE(
    "a group that the disk does not take is counted as a failure, and the store's return as a recovery") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  life.settle();
  disk.fail_next_commit(Errc::io_error);
  disk.fail_next_open(Errc::io_error);
  CHECK(life.append(lane, "a").has_error());
  CHECK(life.metrics.commit_failures == 1);
  CHECK(life.metrics.reopens == 0);
  CHECK(life.append(lane, "a").has_error());  // until the store is open again
  life.clock.run_for(900ms);
  CHECK(life.append(lane, "a").has_error());  // it is tried again after a second, not at once
  life.clock.run_for(10s);
  CHECK(life.metrics.reopens == 1);
  CHECK(life.append(lane, "a").has_value());
  CHECK(life.metrics.commit_failures == 1);
  CHECK(life.metrics.appended_records == 1);
}

TEST_CASE("while the store does not open again, what is said is why it does not by now") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  life.settle();
  disk.fail_opens_until_healed(Errc::disk_full);
  disk.fail_next_commit(Errc::io_error);
  CHECK(life.append(lane, "a").error().code == Errc::io_error);
  CHECK(life.queue.refusal(lane, 0)->code == Errc::io_error);
  life.clock.run_for(5s);
  CHECK(life.queue.refusal(lane, 0)->code == Errc::disk_full);
  CHECK(life.append(lane, "a").error().code == Errc::disk_full);
  disk.heal();
  life.clock.run_for(5s);
  CHECK_FALSE(life.queue.refusal(lane, 0));
}

TEST_CASE("a read from memory is as large as it was asked to be, and has one record at least") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  for (const char* payload : {"a", "b", "c"}) REQUIRE(life.append(lane, payload).has_value());
  for (const auto& [bytes, records] : {std::pair(std::uint64_t{1}, 1U),
                                       {cost_of("a"), 1U},
                                       {cost_of("a") + 1, 2U},
                                       {3 * cost_of("a"), 3U}}) {
    const auto batch = life.run(life.queue.read(cursor, bytes));
    REQUIRE(batch.has_value());
    CHECK(batch->records.size() == records);
  }
}

TEST_CASE("what a lane and its cursors say adds up, each by its own name") {
  MemStore disk;
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {12'345, true});
  const CursorId ahead = life.queue.open_cursor(lane, "ahead", Keep::required, StartAt::oldest);
  const CursorId behind = life.queue.open_cursor(lane, "behind", Keep::best_effort, StartAt::oldest);
  std::int64_t arrival_ms = 1'000;
  for (const auto& [payload, units] :
       std::map<std::string, std::uint32_t>{{"a", 10}, {"bb", 20}, {"ccc", 30}}) {
    NewRecord record = record_of(payload, units);
    record.attributes.arrival_ms = arrival_ms += 1'000;
    REQUIRE(life.run(life.queue.append(lane, std::move(record))).has_value());
  }
  REQUIRE(life.payloads(ahead).size() == 3);
  REQUIRE(life.payloads(behind).size() == 3);
  Ack ack;
  ack.upto = Seq{3};
  ack.losses = {{Reason::duplicate, 4}, {Reason::bad_request, 1}};
  ack.probable_duplicates = 5;
  ack.under_reported = 6;
  ack.stripped = 7;
  REQUIRE(life.queue.ack(ahead, std::move(ack)));
  REQUIRE(life.payloads(ahead) == std::vector<std::string>{"ccc"});

  const LaneUsage usage = life.queue.usage(lane);
  CHECK(usage.max_bytes == 12'345);
  CHECK(usage.accepted.records == 3);
  CHECK(usage.accepted.units == 60);
  CHECK(usage.accepted.bytes == cost_of("a") + cost_of("bb") + cost_of("ccc"));
  CHECK(usage.held.bytes == usage.accepted.bytes);
  CHECK(usage.pending_units == 0);

  std::map<std::string, CursorUsage> cursors;
  for (const CursorUsage& c : life.queue.cursors(lane)) cursors[c.name] = c;
  REQUIRE(cursors.size() == 2);
  const CursorUsage& a = cursors.at("ahead");
  CHECK(a.position == Seq{3});
  CHECK(a.behind.records == 1);
  CHECK(a.behind.units == 30);
  CHECK(a.behind.bytes == cost_of("ccc"));
  CHECK(a.accepted.units == 60);
  CHECK(a.ledger.delivered == 25);
  CHECK(a.ledger.lost[static_cast<std::size_t>(Reason::duplicate)] == 4);
  CHECK(a.ledger.lost[static_cast<std::size_t>(Reason::bad_request)] == 1);
  CHECK(a.ledger.probable_duplicates == 5);
  CHECK(a.ledger.under_reported == 6);
  CHECK(a.ledger.stripped == 7);
  CHECK(a.keep == Keep::required);
  CHECK(a.oldest_ms == 4'000);
  const CursorUsage& b = cursors.at("behind");
  CHECK(b.position == Seq{1});
  CHECK(b.behind.units == 60);
  CHECK(b.keep == Keep::best_effort);
  CHECK(b.oldest_ms == 2'000);
  REQUIRE(life.queue.ack(ahead, {Seq{4}, {}, {}, 0, 0, 0}));
  for (const CursorUsage& c : life.queue.cursors(lane))
    if (c.name == "ahead") CHECK(c.oldest_ms == 0);  // nothing waits for it
  CHECK(life.queue.usage(lane).held.bytes == usage.accepted.bytes);
}

TEST_CASE("damaged records are counted once by whoever passes over them: a sender, or the budget") {
  MemStore disk;
  constexpr std::uint64_t kRecords = 30;
  const std::string payload(1'000, 'x');
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
    for (std::uint64_t i = 0; i < kRecords; ++i) REQUIRE(life.append(lane, payload, 3).has_value());
  }
  for (const std::uint64_t seq : {2U, 3U, 5U}) REQUIRE(disk.damage(lane_id("metrics"), Seq{seq}));
  const bool by_budget = GENERATE(true, false);
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {by_budget ? 10 * cost_of(payload) : 0, true});
  const CursorId cursor = life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  if (by_budget) {
    REQUIRE(life.append(lane, payload, 3).has_value());
    life.clock.run_for(10s);
    CHECK(life.queue.usage(lane).held.bytes <= 10 * cost_of(payload));
  } else {
    life.drain(cursor);
  }
  const CursorUsage c = life.queue.cursors(lane).at(0);
  CHECK(life.metrics.damaged_records == 3);
  CHECK(c.ledger.lost[static_cast<std::size_t>(Reason::damaged)] == 9);
  CHECK((c.ledger.lost[static_cast<std::size_t>(Reason::budget)] > 0) == by_budget);
  CHECK(c.accepted.units == c.ledger.settled() + c.behind.units);
}

TEST_CASE(
    "a cursor that the configuration names again is kept as it says then, and loses nothing meanwhile") {
  MemStore disk;
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("metrics", {0, true});
    life.queue.open_cursor(lane, "a", Keep::required, StartAt::oldest);
    REQUIRE(life.append(lane, "x").has_value());
  }
  QueueLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {0, true});
  CHECK(life.queue.cursors(lane).at(0).keep == Keep::best_effort);  // nobody has named it yet
  const CursorId cursor = life.queue.open_cursor(lane, "a", Keep::required, StartAt::now);
  CHECK(life.queue.cursors(lane).at(0).keep == Keep::required);
  CHECK(life.payloads(cursor) == std::vector<std::string>{"x"});
}

// A disk whose last group was damaged: the store knows how many records that were, and nothing else of them.
class DamagedAtTail final : public Store {
 public:
  Result<StoreImage> open() override {
    auto image = inner_.open();
    if (image) image->damaged_at_tail = 4;
    return image;
  }
  Result<> commit(const StoreBatch& batch) override { return inner_.commit(batch); }
  Result<ReadRange> read(const ReadRequest& request) override { return inner_.read(request); }
  void release(LaneId lane, const Released& released) override { inner_.release(lane, released); }
  StoreUsage usage() const override { return inner_.usage(); }

 private:
  MemStore inner_;
};

TEST_CASE("records of a damaged last group are counted, though no cursor comes by them") {
  DamagedAtTail disk;
  QueueLife life(disk);
  CHECK(life.metrics.damaged_records == 4);
}

TEST_CASE("checkpoints are durable with their record, and gone with a group that the disk did not take") {
  MemStore disk;
  {
    QueueLife life(disk);
    const LaneId lane = life.queue.open_lane("logs", {0, true});
    REQUIRE(life.run(life.queue.put_checkpoint({"old", "5"})).has_value());
    const std::uint64_t commits = disk.commits();
    const std::vector<Checkpoint> first{{"file/1", "10"}, {"file/2", "11"}, {"old", ""}};
    REQUIRE(life.run(life.queue.append(lane, record_of("a"), first)).has_value());
    CHECK(disk.commits() == commits + 1);
    CHECK(life.queue.checkpoint("file/2") == "11");
    CHECK_FALSE(life.queue.checkpoint("old"));
    disk.fail_next_commit(Errc::io_error);
    const std::vector<Checkpoint> second{{"file/1", "20"}, {"file/2", ""}, {"file/3", "22"}};
    REQUIRE(life.run(life.queue.append(lane, record_of("b"), second)).has_error());
  }
  disk.crash();
  const auto image = disk.open();
  REQUIRE(image.has_value());
  CHECK(image->meta.at("check/file/1") == "10");
  CHECK(image->meta.at("check/file/2") == "11");
  CHECK_FALSE(image->meta.contains("check/file/3"));
  CHECK_FALSE(image->meta.contains("check/old"));
}

}  // namespace
}  // namespace tideover::wal
