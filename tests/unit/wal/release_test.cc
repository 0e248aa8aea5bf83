#include "wal/release.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <mutex>

#include "tests/support/catch_result.h"
#include "tests/support/mem_store.h"
#include "tests/support/threaded_life.h"
#include "wal/queue_state.h"

namespace tideover::wal {
namespace {

using namespace test_support;

class Asked final : public Store {
 public:
  Result<StoreImage> open() override { return below.open(); }
  Result<> commit(const StoreBatch& batch) override { return below.commit(batch); }
  Result<ReadRange> read(const ReadRequest& request) override { return below.read(request); }
  void release(LaneId lane, const Released& released) override {
    below.release(lane, released);
    std::lock_guard lock(mutex_);
    ++calls_[{lane, released.before}];
  }
  StoreUsage usage() const override { return below.usage(); }

  int times(LaneId lane, std::uint64_t before) {
    std::lock_guard lock(mutex_);
    return calls_[{lane, Seq{before}}];
  }

  MemStore below;

 private:
  std::mutex mutex_;
  std::map<std::pair<LaneId, Seq>, int> calls_;
};

const LaneId kSide = lane_id("side");

void fill_and_drain(ThreadedLife& life) {
  const LaneId side = life.queue.open_lane("side", {});
  const CursorId cursor = life.queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
  for (int i = 0; i < 5; ++i) life.append(side, "x");
  life.drain(side, cursor);
}

TEST_CASE("the store is asked again about a lane at rest, while another one works") {
  Asked disk;
  ThreadedLife life(disk);
  fill_and_drain(life);
  const LaneId busy = life.queue.open_lane("metrics", {});
  life.queue.open_cursor(busy, "thanos", Keep::required, StartAt::now);
  while (disk.times(kSide, 5) < 3) life.append(busy, "x");  // the last record of the other stays
}

TEST_CASE("the store is asked about a lane at rest after a restart in which nothing happens") {
  Asked disk;
  {
    ThreadedLife life(disk);
    fill_and_drain(life);
  }
  const int before = disk.times(kSide, 5);
  ThreadedLife life(disk);
  life.until([&] { return disk.times(kSide, 5) >= before + 2; });
}

TEST_CASE("a lane that is not at rest is not asked about again and again") {
  test::Loop loop;
  Signal signal{SignalLimits{}};
  OpenLane lane("metrics", LaneId{7}, signal);
  lane.lane.adopt({Seq{10}, {10, 10, 1000}});
  OpenCursor cursor(loop.clock, lane.lane, "thanos", beginning_at(Seq{4}, {3, 3, 300}));
  lane.cursors.push_back(&cursor);
  CHECK(to_release(lane, false) == Seq{4});
  for (int i = 0; i < 10; ++i) CHECK_FALSE(to_release(lane, true));
  cursor.cursor.made_durable(Seq{11});
  CHECK(to_release(lane, false) == Seq{10});
  CHECK_FALSE(to_release(lane, false));  // a group of another lane is no reason
  int asked = 0;
  for (int i = 0; i < 1000; ++i) asked += to_release(lane, true) ? 1 : 0;
  CHECK(asked == 10);  // ever more seldom
}

}  // namespace
}  // namespace tideover::wal
