// Best-effort data over its budget, with damage in the way.
#include <catch2/catch.hpp>

#include "tests/support/catch_result.h"
#include "tests/support/mem_store.h"
#include "tests/support/threaded_life.h"

namespace tideover::wal {
namespace {

using namespace test_support;

// Answers as RocksStore does where a run of records is damaged: a window of 256 numbers, and nothing in it.
class Holed final : public Store {
 public:
  Result<StoreImage> open() override { return below.open(); }
  Result<> commit(const StoreBatch& batch) override { return below.commit(batch); }
  Result<ReadRange> read(const ReadRequest& request) override {
    if (request.from < until && request.from >= from)
      return ReadRange{.records = {},
                       .next = std::min({request.until, until, Seq{request.from.value + 256}})};
    return below.read(request);
  }
  void release(LaneId lane, const Released& released) override { below.release(lane, released); }
  StoreUsage usage() const override { return below.usage(); }

  MemStore below;
  Seq from{1}, until{601};  // cannot be read
};

WalLimits nothing_fresh() {
  WalLimits limits = quick();
  limits.tail_bytes = 0;
  return limits;
}

TEST_CASE("a best-effort cursor is trimmed past a run of damage longer than one read, and all is counted") {
  Holed disk;
  ThreadedLife life(disk, nothing_fresh());
  const LaneId lane = life.queue.open_lane("metrics", {20'000, true});
  life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  for (int i = 0; i < 1200; ++i) life.append(lane, "0123456789");
  life.until([&] { return life.queue.usage(lane).held.bytes <= 20'000; });
  const CursorUsage usage = life.usage(lane, "b");
  CHECK(lost(usage, Reason::damaged) == 600);
  CHECK(lost(usage, Reason::budget) == usage.position.value - 1 - 600);
  CHECK(life.metrics.damaged_records == 600);
  life.check_closed(lane);
}

TEST_CASE("damage up to the tail is trimmed as well") {
  Holed disk;
  disk.until = Seq{100'000};
  ThreadedLife life(disk, nothing_fresh());
  const LaneId lane = life.queue.open_lane("metrics", {20'000, true});
  life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  for (int i = 0; i < 400; ++i) life.append(lane, "0123456789");
  life.until([&] { return life.queue.usage(lane).held.bytes <= 20'000; });
  CHECK(lost(life.usage(lane, "b"), Reason::budget) == 0);
  life.check_closed(lane);
}

TEST_CASE("a batch that a sender holds counts as long as nothing before it was trimmed") {
  Holed disk;
  disk.from = Seq{400};
  ThreadedLife life(disk, nothing_fresh());
  const LaneId lane = life.queue.open_lane("metrics", {1 << 20, true});
  const CursorId cursor = life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  for (int i = 0; i < 300; ++i) life.append(lane, "0123456789");
  const auto batch = life.run(life.queue.read(cursor, 1 << 20));
  REQUIRE(batch.has_value());
  disk.from = Seq{1};  // from here on a trim reads nothing, several times over
  life.queue.open_lane("metrics", {20'000, true});
  for (int i = 0; i < 1200; ++i) life.append(lane, "0123456789");
  Ack ack;
  ack.upto = batch->next;
  const bool taken = life.queue.ack(cursor, ack);  // either is right, by who came first; an abort is not
  life.until([&] { return life.queue.usage(lane).held.bytes <= 20'000; });
  CHECK((life.usage(lane, "b").ledger.delivered == 300) == taken);
  life.check_closed(lane);
}

TEST_CASE("a budget is kept again once the disk can be read again, also when nothing more comes") {
  MemStore disk;
  ThreadedLife life(disk, nothing_fresh());
  const LaneId lane = life.queue.open_lane("metrics", {1000, true});
  life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  for (int i = 0; i < 8; ++i) life.append(lane, "0123456789");
  disk.fail_next_read(Errc::io_error);
  life.append(lane, "0123456789");
  life.until([&] { return life.queue.usage(lane).held.bytes <= 1000; });
  life.check_closed(lane);
}

}  // namespace
}  // namespace tideover::wal
