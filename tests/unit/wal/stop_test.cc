// A stop completes only when nothing of the queue is left on any worker.
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "tests/support/catch_result.h"
#include "tests/support/mem_store.h"
#include "tests/support/threaded_life.h"

namespace tideover::wal {
namespace {

using namespace test_support;

// Counts the calls that are under way or follow; an opening, or a release, can be held.
class Watched final : public Store {
 public:
  Result<StoreImage> open() override {
    const Call call(*this);
    std::unique_lock lock(mutex_);
    opening = true;
    changed_.wait(lock, [this] { return !held_; });
    lock.unlock();
    return below.open();
  }
  Result<> commit(const StoreBatch& batch) override {
    const Call call(*this);
    return below.commit(batch);
  }
  Result<ReadRange> read(const ReadRequest& request) override {
    const Call call(*this);
    return below.read(request);
  }
  void release(LaneId lane, const Released& released) override {
    const Call call(*this);
    below.release(lane, released);
  }
  StoreUsage usage() const override { return below.usage(); }

  void hold() {
    std::lock_guard lock(mutex_);
    held_ = true;
    opening = false;
  }
  void let_go() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }

  MemStore below;
  std::atomic<bool> opening = false;
  std::atomic<bool> ended = false;
  std::atomic<int> after_end = 0;

 private:
  struct Call {
    explicit Call(Watched& watched) {
      if (watched.ended) ++watched.after_end;
    }
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

awaitable<void> stop_and_tell(Queue& queue, bool& stopped) {
  co_await queue.stop();
  stopped = true;
}

TEST_CASE("a stop in the midst of a reopening waits for it, and nothing comes after") {
  const auto outcome = GENERATE(MemStore::Outcome::lost, MemStore::Outcome::applied);
  Watched disk;
  test::Loop loop;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", loop.io.get_executor()}, reader{"reader", loop.io.get_executor()};
  WalMetrics metrics;
  auto queue = std::make_unique<Queue>(disk, writer, reader, clock, quick(), metrics);
  bool stopped = false;
  auto life = [&]() -> awaitable<void> {
    (void)co_await queue->open();
    std::vector<CursorId> cursors;
    for (const char* name : {"a", "b", "c"}) {
      const LaneId lane = queue->open_lane(name, {});
      cursors.push_back(queue->open_cursor(lane, "x", Keep::required, StartAt::oldest));
      NewRecord one = record("1");
      const Result<> appended = co_await queue->append(lane, std::move(one));
      REQUIRE(appended.has_value());
    }
    disk.hold();
    disk.below.fail_next_commit(Errc::io_error, outcome);
    for (const CursorId cursor : cursors) {
      const Result<Batch> batch = co_await queue->read(cursor, 1 << 20);
      REQUIRE(batch.has_value());
      Ack ack;
      ack.upto = batch->next;
      queue->ack(cursor, ack);
    }
    while (!disk.opening) {
      const Time later = clock.now() + std::chrono::milliseconds(1);
      co_await sleep_until(clock, later);
    }
    boost::asio::co_spawn(loop.io, stop_and_tell(*queue, stopped), [](std::exception_ptr) {});
    const Time later = clock.now() + std::chrono::milliseconds(5);
    co_await sleep_until(clock, later);
    CHECK_FALSE(stopped);  // the opening still holds the queue
    disk.let_go();
    while (!stopped) {
      const Time soon = clock.now() + std::chrono::milliseconds(1);
      co_await sleep_until(clock, soon);
    }
    disk.ended = true;
    queue.reset();
    const Time end = clock.now() + std::chrono::milliseconds(20);
    co_await sleep_until(clock, end);
  };
  loop.run(life());
  CHECK(disk.after_end == 0);
}

TEST_CASE("what is asked of a queue that has stopped is refused, and waits for nothing") {
  MemStore disk;
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  life.append(lane, "1");
  life.stop();
  CHECK(life.run(life.queue.append(lane, record("2"))).error().code == Errc::stopping);
  CHECK(life.run(life.queue.flush()).error().code == Errc::stopping);
  CHECK(life.run(life.queue.mark_overtaken(cursor, Seq{2})).error().code == Errc::stopping);
  CHECK(life.run(life.queue.put_checkpoint({"a", "b"})).error().code == Errc::stopping);
  CHECK(life.run(life.queue.read(cursor, 1)).error().code == Errc::stopping);
  life.stop();  // a second one ends as well
}

}  // namespace
}  // namespace tideover::wal
