// Lanes, cursors and notes that come and go while the queue runs, and what lanes of one signal share.
#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>

#include "tests/support/catch_result.h"
#include "tests/support/mem_store.h"
#include "tests/support/threaded_life.h"
#include "wal/lane.h"
#include "wal/queue_state.h"
#include "wal/signal.h"

namespace tideover::wal {
namespace {

using namespace test_support;
using Payloads = std::vector<std::string>;

TEST_CASE("a lane opened among appends is there after a crash, with its cursors") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId first = life.queue.open_lane("first", {});
    life.queue.open_cursor(first, "thanos", Keep::required, StartAt::now);
    int answered = 0;
    const auto spawn_append = [&](LaneId lane) {
      NewRecord one = record("x");
      boost::asio::co_spawn(life.io, life.queue.append(lane, std::move(one)),
                            [&answered](std::exception_ptr, Result<> r) { answered += r ? 1 : 0; });
    };
    for (int i = 0; i < 20; ++i) spawn_append(first);
    life.until([&, started = false]() mutable {
      if (!std::exchange(started, true)) {
        const LaneId second = life.queue.open_lane("second", {});
        life.queue.open_cursor(second, "loki", Keep::required, StartAt::now);
        spawn_append(second);
      }
      return answered == 21;
    });
    disk.crash();
  }
  ThreadedLife life(disk);
  const auto second = life.queue.find_lane("second");
  REQUIRE(second);
  CHECK(life.payloads(life.queue.open_cursor(*second, "loki", Keep::required, StartAt::now)) ==
        Payloads{"x"});
}

TEST_CASE("a lane that was given up is empty when it is opened again, and its numbers go on") {
  const bool restart = GENERATE(false, true);
  MemStore disk;
  disk.set_lazy_release(true);  // its records are found again
  auto life = std::make_unique<ThreadedLife>(disk);
  LaneId lane = life->queue.open_lane("logs/team", {});
  life->queue.open_cursor(lane, "loki", Keep::required, StartAt::now);
  for (const char* p : {"a", "b"}) life->append(lane, p);
  REQUIRE(life->queue.drop_lane(lane).has_value());
  CHECK(life->queue.drop_lane(lane).error().code == Errc::not_found);
  CHECK(life->queue.drop_cursor(lane, "nobody").error().code == Errc::not_found);
  CHECK_FALSE(life->queue.find_lane("logs/team"));
  CHECK(life->run(life->queue.append(lane, record("c"))).error().code == Errc::not_found);
  life->flush();
  if (restart) {
    life.reset();
    life = std::make_unique<ThreadedLife>(disk);
    CHECK_FALSE(life->queue.find_lane("logs/team"));
  }
  lane = life->queue.open_lane("logs/team", {});
  const CursorId cursor = life->queue.open_cursor(lane, "loki", Keep::required, StartAt::oldest);
  life->append(lane, "d");
  const auto batch = life->run(life->queue.read(cursor, 1 << 20));
  REQUIRE(batch.has_value());
  REQUIRE(batch->records.size() == 1);
  CHECK(batch->records[0].payload() == "d");
  CHECK(batch->records[0].seq == Seq{3});
  CHECK(batch->damaged_records == 0);
}

TEST_CASE("a lane given up by a group that the disk did not take is whole after a crash") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("logs/team", {});
    life.queue.open_cursor(lane, "loki", Keep::required, StartAt::now);
    for (const char* p : {"a", "b"}) life.append(lane, p);
    disk.fail_commits_until_healed(Errc::io_error);
    disk.fail_opens_until_healed(Errc::io_error);
    REQUIRE(life.queue.drop_lane(lane).has_value());
    CHECK_FALSE(life.run(life.queue.flush()).has_value());
    life.until([looks = 0]() mutable { return ++looks > 5; });
    disk.crash();
  }
  disk.heal();
  CHECK(disk.record_count() == 2);
  ThreadedLife life(disk);
  const auto lane = life.queue.find_lane("logs/team");
  REQUIRE(lane);
  CHECK(life.payloads(life.queue.open_cursor(*lane, "loki", Keep::required, StartAt::now)) ==
        Payloads{"a", "b"});
}

TEST_CASE("a cursor dropped and opened again at once holds nothing back for ever") {
  MemStore disk;
  ThreadedLife life(disk);
  const LaneId lane = life.queue.open_lane("metrics", {});
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  for (const char* p : {"a", "b", "c"}) life.append(lane, p);
  REQUIRE(life.queue.drop_cursor(lane, "thanos").has_value());
  life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  life.flush();
  life.until([&] { return disk.record_count() == 1; });
  CHECK(life.usage(lane, "thanos").position == Seq{4});
}

TEST_CASE("notes of producers are read back, move alone, and are removed") {
  MemStore disk;
  {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("logs", {});
    const std::vector<Checkpoint> first{{"file/1", "10"}};
    REQUIRE(life.run(life.queue.append(lane, record("a"), first)).has_value());
    REQUIRE(life.run(life.queue.put_checkpoint({"file/2", "20"})).has_value());
    REQUIRE(life.run(life.queue.put_checkpoint({"file/3", "30"})).has_value());
    REQUIRE(life.run(life.queue.put_checkpoint({"file/2", ""})).has_value());
    CHECK(life.queue.checkpoint("file/1") == "10");
    CHECK_FALSE(life.queue.checkpoint("file/2"));
    const std::uint64_t commits = disk.commits();
    const std::vector<Checkpoint> more{{"file/4", "40"}, {"file/5", "50"}, {"file/3", ""}};
    REQUIRE(life.run(life.queue.put_checkpoints(more)).has_value());
    CHECK(disk.commits() == commits + 1);
    CHECK(life.queue.checkpoint("file/5") == "50");
    disk.fail_next_commit(Errc::io_error);
    CHECK_FALSE(life.run(life.queue.put_checkpoint({"file/1", "11"})).has_value());
    CHECK(life.queue.checkpoint("file/1") == "10");
    disk.crash();
  }
  ThreadedLife life(disk);
  const auto notes = life.queue.checkpoints("file/");
  REQUIRE(notes.size() == 3);
  CHECK(notes[0].value == "10");
  CHECK(notes[1].key == "file/4");
  CHECK(notes[2].value == "50");
  CHECK(life.queue.checkpoints("other/").empty());
}

TEST_CASE("a note that moves alone never overtakes one that came with a record, nor the other way round") {
  MemStore disk;
  WalLimits limits = quick();
  limits.group_bytes = 1;  // a record fills a group
  ThreadedLife life(disk, limits);
  const LaneId lane = life.queue.open_lane("logs", {});
  int answered = 0;
  auto all = [&]() {
    for (int i = 1; i <= 6; ++i) {
      const auto done = [&answered](std::exception_ptr, const Result<>&) { ++answered; };
      NewRecord one = record("x");
      Checkpoint note{"file", std::to_string(i)};
      std::vector<Checkpoint> notes{note};
      if (i % 2 == 1)
        boost::asio::co_spawn(life.io, life.queue.append(lane, std::move(one), std::move(notes)), done);
      else
        boost::asio::co_spawn(life.io, life.queue.put_checkpoint(std::move(note)), done);
    }
  };
  all();
  life.until([&] { return answered == 6; });
  CHECK(life.queue.checkpoint("file") == "6");
  CHECK(disk.meta("check/file") == "6");
}

// Its commits end when the test lets them.
class Slow final : public Store {
 public:
  Result<StoreImage> open() override { return below.open(); }
  Result<> commit(const StoreBatch& batch) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    return below.commit(batch);
  }
  Result<ReadRange> read(const ReadRequest& request) override { return below.read(request); }
  void release(LaneId lane, const Released& released) override { below.release(lane, released); }
  StoreUsage usage() const override { return below.usage(); }

  void hold(bool held) {
    std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

  MemStore below;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

TEST_CASE("one signal's waiting bytes refuse nothing of another, and those of its lanes count together") {
  Slow disk;
  WalLimits limits = quick();
  limits.waiting_bytes = 1000;
  ThreadedLife life(disk, limits);
  const LaneId metrics = life.queue.open_lane("metrics", {});
  LaneOptions logs_options;
  SignalLimits logs_limits;
  logs_limits.waiting_bytes = 1000;
  logs_options.signal = life.queue.open_signal(logs_limits);
  const LaneId logs = life.queue.open_lane("logs", logs_options);
  const LaneId more_logs = life.queue.open_lane("more logs", logs_options);
  life.flush();
  disk.hold(true);
  int answered = 0;
  const auto put = [&](std::size_t bytes) {
    NewRecord one = record(std::string(bytes, 'x'));
    boost::asio::co_spawn(life.io, life.queue.append(logs, std::move(one)),
                          [&answered](std::exception_ptr, Result<> r) { answered += r ? 1 : 0; });
  };
  put(1);    // the group under way
  put(700);  // waits
  life.until([looks = 0]() mutable { return ++looks > 3; });
  CHECK(life.queue.refusal(more_logs, 300));
  CHECK_FALSE(life.queue.refusal(metrics, 900));
  disk.hold(false);
  life.until([&] { return answered == 2; });
  CHECK_FALSE(life.queue.refusal(more_logs, 300));
}

TEST_CASE("lanes of one signal share what is kept in memory, and the largest loses its oldest") {
  SignalLimits limits;
  limits.fresh_bytes = 1000;
  Signal signal(limits), other(limits);  // outlive their lanes
  Lane small("small", LaneId{1}, signal), large("large", LaneId{2}, signal);
  const auto put = [](Lane& lane, std::size_t bytes) {
    lane.settle({lane.seal(record(std::string(bytes, 'x')))});
  };
  put(small, 100);
  for (int i = 0; i < 20; ++i) put(large, 200);
  CHECK(signal.fresh_bytes <= 1000);
  CHECK(small.fresh(Seq{1}, 1).size() == 1);
  CHECK(large.fresh(Seq{1}, 1).empty());
  CHECK_FALSE(large.fresh(Seq{20}, 1).empty());

  large.join(other);
  CHECK(signal.fresh_bytes == small.fresh_bytes());
  CHECK(other.fresh_bytes == large.fresh_bytes());
}

}  // namespace
}  // namespace tideover::wal
