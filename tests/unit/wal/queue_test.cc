#include "wal/queue.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/loop.h"
#include "tests/support/mem_store.h"
#include "wal/base/await_callback.h"
#include "wal/base/notifier.h"
#include "wal/base/thread_worker.h"
#include "wal/metrics.h"
#include "wal/queue_state.h"

namespace tideover::wal {
namespace {

using namespace std::chrono_literals;

NewRecord record(std::string payload, std::uint32_t units = 1) {
  NewRecord record;
  record.bytes = std::string(kEnvelopeBytes, '\0') + payload;
  record.attributes.units = units;
  return record;
}

WalLimits quick() {
  WalLimits limits;
  limits.ack_delay = 1ms;
  limits.reopen_delay = 1ms;
  return limits;
}

// A disk that outlives the queues opened on it, and one life of a queue at a time.
struct Life {
  explicit Life(MemStore& disk, WalLimits wal_limits = quick()) : store(disk), limits(wal_limits) {
    Result<> opened = run(queue.open());
    REQUIRE(opened.has_value());
  }
  ~Life() {
    auto stop = [](Queue& q) -> awaitable<bool> {
      co_await q.stop();
      co_return true;
    };
    run(stop(queue));
  }

  template <class T>
  T run(awaitable<T> task) {
    return loop.result_of(std::move(task));
  }

  LaneId lane(std::uint64_t max_bytes = 0) { return queue.open_lane("metrics", {max_bytes, true}); }
  CursorId cursor(LaneId l, std::string_view name = "thanos", Keep keep = Keep::required,
                  StartAt start = StartAt::oldest) {
    return queue.open_cursor(l, name, keep, start);
  }
  std::vector<std::string> payloads(CursorId c, std::uint64_t max_bytes = 1 << 20) {
    auto batch = run(queue.read(c, max_bytes));
    REQUIRE(batch.has_value());
    std::vector<std::string> result;
    for (const StoredRecord& r : batch->records) result.emplace_back(r.payload());
    return result;
  }

  MemStore& store;
  WalLimits limits;
  test::Loop loop;
  boost::asio::io_context& io = loop.io;
  SystemClock& clock = loop.clock;
  ThreadWorker writer{"writer", io.get_executor()};
  ThreadWorker reader{"reader", io.get_executor()};
  WalMetrics metrics;
  Queue queue{store, writer, reader, clock, limits, metrics};
};

using Payloads = std::vector<std::string>;

awaitable<Result<>> append_until_taken(Life& life, LaneId lane, std::string payload) {
  while (true) {
    NewRecord again = record(payload);
    Result<> appended = co_await life.queue.append(lane, std::move(again));
    if (appended) co_return appended;
    co_await sleep_until(life.clock, life.clock.now() + 1ms);
  }
}

TEST_CASE("a record is readable once its append has completed, and after a crash") {
  MemStore disk;
  {
    Life life(disk);
    const LaneId lane = life.lane();
    const CursorId cursor = life.cursor(lane);
    REQUIRE(life.run(life.queue.append(lane, record("a"))).has_value());
    REQUIRE(life.run(life.queue.append(lane, record("b"))).has_value());
    CHECK(life.payloads(cursor) == Payloads{"a", "b"});
  }
  disk.crash();
  Life life(disk);
  const LaneId lane = life.lane();
  CHECK(life.payloads(life.cursor(lane)) == Payloads{"a", "b"});
}

TEST_CASE("what came during one sync is one group after it") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  life.cursor(lane);
  int answered = 0;
  auto all = [](Life& l, LaneId id, int& count) -> awaitable<bool> {
    for (int i = 0; i < 50; ++i) {
      boost::asio::co_spawn(l.io, l.queue.append(id, record("x")),
                            [&](std::exception_ptr, Result<> r) { count += r ? 1 : 0; });
    }
    while (count < 50) co_await sleep_until(l.clock, l.clock.now() + 1ms);
    co_return true;
  };
  life.run(all(life, lane, answered));
  CHECK(answered == 50);
  CHECK(life.metrics.commits < 10);
}

TEST_CASE("an acknowledged record is not read again, also after a crash that follows the flush") {
  MemStore disk;
  {
    Life life(disk);
    const LaneId lane = life.lane();
    const CursorId cursor = life.cursor(lane);
    for (const char* p : {"a", "b", "c"}) REQUIRE(life.run(life.queue.append(lane, record(p))).has_value());
    auto batch = life.run(life.queue.read(cursor, 1 << 20));
    Ack ack;
    ack.upto = Seq{3};
    life.queue.ack(cursor, ack);
    CHECK(life.payloads(cursor) == Payloads{"c"});
    REQUIRE(life.run(life.queue.flush()).has_value());
  }
  disk.crash();
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId cursor = life.cursor(lane);
  CHECK(life.payloads(cursor) == Payloads{"c"});
  const auto cursors = life.queue.cursors(lane);
  REQUIRE(cursors.size() == 1);
  CHECK(cursors[0].ledger.delivered == 2);
  CHECK(cursors[0].accepted.units == 3);
  CHECK(cursors[0].behind.units == 1);
}

TEST_CASE("numbers go on after a drained lane is opened again") {
  MemStore disk;
  {
    Life life(disk);
    const LaneId lane = life.lane();
    const CursorId cursor = life.cursor(lane);
    REQUIRE(life.run(life.queue.append(lane, record("a"))).has_value());
    (void)life.payloads(cursor);
    life.queue.ack(cursor, {Seq{2}, {}, {}, 0, 0, 0});
    REQUIRE(life.run(life.queue.flush()).has_value());
  }
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId cursor = life.cursor(lane);
  REQUIRE(life.run(life.queue.append(lane, record("b"))).has_value());
  const auto batch = life.run(life.queue.read(cursor, 1 << 20));
  REQUIRE(batch->records.size() == 1);
  CHECK(batch->records[0].seq == Seq{2});
  CHECK(batch->records[0].through.units == 2);
}

TEST_CASE(
    "a full lane refuses while a required cursor needs its records, and takes new ones once it is drained") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane(1000);
  const CursorId cursor = life.cursor(lane);
  Result<> last = boost::system::in_place_value;
  int accepted = 0;
  while (last && accepted < 100) {
    last = life.run(life.queue.append(lane, record("0123456789")));
    accepted += last ? 1 : 0;
  }
  REQUIRE(last.has_error());
  CHECK(last.error().code == Errc::over_budget);
  CHECK(accepted == 8);  // 8 x 114 bytes fit, 9 do not
  const auto batch = life.run(life.queue.read(cursor, 1 << 20));
  life.queue.ack(cursor, {batch->next, {}, {}, 0, 0, 0});
  CHECK(life.run(life.queue.append(lane, record("0123456789"))).has_value());
}

TEST_CASE("a best-effort cursor loses its oldest, counted, and costs the required one nothing") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane(1000);
  const CursorId required = life.cursor(lane, "a");
  life.cursor(lane, "b", Keep::best_effort);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(life.run(life.queue.append(lane, record("0123456789"))).has_value());
    const auto batch = life.run(life.queue.read(required, 1 << 20));
    life.queue.ack(required, {batch->next, {}, {}, 0, 0, 0});
  }
  auto settle = [](Life& l, LaneId id) -> awaitable<bool> {
    for (int i = 0; i < 1000 && l.queue.usage(id).held.bytes > 1000; ++i)
      co_await sleep_until(l.clock, l.clock.now() + 1ms);
    co_return true;
  };
  life.run(settle(life, lane));
  CHECK(life.queue.usage(lane).held.bytes <= 1000);
  for (const CursorUsage& c : life.queue.cursors(lane)) {
    CHECK(c.accepted.units == c.ledger.settled() + c.behind.units);
    if (c.name == "b") CHECK(c.ledger.lost[static_cast<std::size_t>(Reason::budget)] > 0);
    if (c.name == "a") CHECK(c.ledger.delivered == 20);
  }
}

TEST_CASE("nothing behind a drop is read before no crash can bring back what was dropped") {
  MemStore disk;
  Seq first;
  {
    WalLimits limits = quick();
    limits.ack_delay = 50ms;
    Life life(disk, limits);
    const LaneId lane = life.lane(1000);
    const CursorId cursor = life.cursor(lane, "b", Keep::best_effort);
    for (int i = 0; i < 9; ++i)  // the last one is too much, and nothing comes that a drop could ride with
      REQUIRE(life.run(life.queue.append(lane, record("0123456789"))).has_value());
    auto trimmed = [](Life& l, LaneId id) -> awaitable<bool> {
      while (l.queue.usage(id).held.bytes > 1000) co_await sleep_until(l.clock, l.clock.now() + 1ms);
      co_return true;
    };
    life.run(trimmed(life, lane));
    const auto batch = life.run(life.queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    first = batch->first;
    disk.crash();
  }
  REQUIRE(first > Seq{1});
  Life life(disk);
  CHECK(life.queue.cursors(life.lane()).at(0).position >= first);
}

TEST_CASE("records set aside move with their cursor in one atomic batch") {
  MemStore disk;
  {
    Life life(disk);
    const LaneId lane = life.lane();
    const LaneId parked = life.queue.open_lane("metrics/parked/thanos", {});
    const CursorId cursor = life.cursor(lane);
    life.queue.open_cursor(parked, "thanos", Keep::best_effort, StartAt::oldest);
    REQUIRE(life.run(life.queue.append(lane, record("old", 7))).has_value());
    (void)life.payloads(cursor);
    Ack ack;
    ack.upto = Seq{2};
    ack.diverts.push_back({parked, record("old", 5), true});
    ack.losses.push_back({Reason::duplicate, 1});
    disk.fail_next_commit(Errc::disk_full, MemStore::Outcome::lost);
    life.queue.ack(cursor, std::move(ack));
    auto retried = [](Life& l) -> awaitable<Result<>> {
      Result<> flushed = co_await l.queue.flush();
      while (!flushed) {
        co_await sleep_until(l.clock, l.clock.now() + 1ms);
        flushed = co_await l.queue.flush();
      }
      co_return flushed;
    };
    REQUIRE(life.run(retried(life)).has_value());
  }
  disk.crash();
  Life life(disk);
  const LaneId parked = life.queue.open_lane("metrics/parked/thanos", {});
  CHECK(life.payloads(life.queue.open_cursor(parked, "thanos", Keep::best_effort, StartAt::oldest)) ==
        Payloads{"old"});
  const auto c = life.queue.cursors(life.lane()).at(0);
  CHECK(c.ledger.diverted == 5);
  CHECK(c.ledger.delivered == 1);
  CHECK(c.behind.units == 0);
}

TEST_CASE("a failed group that had reached the disk after all is not written a second time") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  const LaneId parked = life.queue.open_lane("parked", {});
  const CursorId cursor = life.cursor(lane);
  const CursorId aside = life.queue.open_cursor(parked, "thanos", Keep::best_effort, StartAt::oldest);
  REQUIRE(life.run(life.queue.append(lane, record("old"))).has_value());
  (void)life.payloads(cursor);
  Ack ack;
  ack.upto = Seq{2};
  ack.diverts.push_back({parked, record("old"), true});
  disk.fail_next_commit(Errc::io_error, MemStore::Outcome::applied);
  life.queue.ack(cursor, std::move(ack));
  REQUIRE(life.run(append_until_taken(life, lane, "new")).has_value());
  CHECK(life.payloads(aside) == Payloads{"old"});
  CHECK(life.payloads(cursor).back() == "new");
}

TEST_CASE("an append on a disk that fails is refused, and works again when the disk does") {
  const Errc code = GENERATE(Errc::disk_full, Errc::io_error);
  const auto outcome = GENERATE(MemStore::Outcome::lost, MemStore::Outcome::applied);
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId cursor = life.cursor(lane);
  REQUIRE(life.run(life.queue.append(lane, record("a"))).has_value());
  disk.fail_commits_until_healed(code, outcome);
  const Result<> refused = life.run(life.queue.append(lane, record("b")));
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == code);
  CHECK(life.payloads(cursor).front() == "a");  // what is durable stays readable
  disk.heal();
  REQUIRE(life.run(append_until_taken(life, lane, "b")).has_value());
  const Payloads found = life.payloads(cursor);
  CHECK(found.front() == "a");
  CHECK(found.back() == "b");
}

TEST_CASE("damaged records are passed over and counted with the units they held") {
  MemStore disk;
  {
    Life life(disk);
    const LaneId lane = life.lane();
    life.cursor(lane);
    for (std::uint32_t i = 1; i <= 6; ++i)
      REQUIRE(life.run(life.queue.append(lane, record(std::to_string(i), i))).has_value());
  }
  const auto where = GENERATE(std::vector<std::uint64_t>{1, 2}, std::vector<std::uint64_t>{3, 5},
                              std::vector<std::uint64_t>{5, 6}, std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  for (const std::uint64_t seq : where) REQUIRE(disk.damage(lane_id("metrics"), Seq{seq}));
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId cursor = life.cursor(lane);
  std::uint64_t damaged = 0;
  for (const std::uint64_t seq : where) damaged += seq;
  while (life.queue.cursors(lane).at(0).behind.records > 0) {
    const auto batch = life.run(life.queue.read(cursor, 1 << 20));
    REQUIRE(batch.has_value());
    life.queue.ack(cursor, {batch->next, {}, {}, 0, 0, 0});
  }
  const auto usage = life.queue.cursors(lane).at(0);
  CHECK(usage.ledger.lost[static_cast<std::size_t>(Reason::damaged)] == damaged);
  CHECK(usage.ledger.delivered == 21 - damaged);
}

TEST_CASE("a mark of what may be overtaken is durable once it is given, and never goes back") {
  MemStore disk;
  {
    Life life(disk);
    const CursorId cursor = life.cursor(life.lane());
    REQUIRE(life.run(life.queue.append(life.lane(), record("a"))).has_value());
    REQUIRE(life.run(life.queue.mark_overtaken(cursor, Seq{2})).has_value());
    REQUIRE(life.run(life.queue.mark_overtaken(cursor, Seq{1})).has_value());
    disk.crash();
  }
  Life life(disk);
  CHECK(life.queue.cursors(life.lane())[0].overtaken_before == Seq{2});
  disk.fail_next_commit(Errc::io_error);
  const Result<> failed = life.run(life.queue.mark_overtaken(life.cursor(life.lane()), Seq{3}));
  CHECK(failed.has_error());
}

TEST_CASE("a new destination starts at now unless it asks for the oldest") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  life.cursor(lane, "first");
  REQUIRE(life.run(life.queue.append(lane, record("a"))).has_value());
  CHECK(life.payloads(life.cursor(lane, "late", Keep::required, StartAt::now)).empty());
  CHECK(life.payloads(life.cursor(lane, "curious", Keep::required, StartAt::oldest)) == Payloads{"a"});
}

TEST_CASE(
    "a destination that begins at the oldest begins at what is still there, and counts nothing as damaged") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId first = life.cursor(lane, "first");
  for (const char* payload : {"a", "b", "c"})
    REQUIRE(life.run(life.queue.append(lane, record(payload))).has_value());
  (void)life.payloads(first);
  life.queue.ack(first, {Seq{3}, {}, {}, 0, 0, 0});
  REQUIRE(life.run(life.queue.flush()).has_value());
  const CursorId late = life.cursor(lane, "late", Keep::required, StartAt::oldest);
  CHECK(life.payloads(late) == Payloads{"c"});
  life.queue.ack(late, {Seq{4}, {}, {}, 0, 0, 0});
  const auto usage = life.queue.cursors(lane).at(1);
  CHECK(usage.accepted.units == 1);
  CHECK(usage.ledger.delivered == 1);
  CHECK(usage.ledger.lost[static_cast<std::size_t>(Reason::damaged)] == 0);
}

// All that was given to the write worker so far is done.
awaitable<bool> written(Life& life) {
  auto start = [&life](std::function<void(bool)> done) {
    life.writer.submit([] {}, [done = std::move(done)] { done(true); });
  };
  co_return co_await await_callback<bool>(std::move(start));
}

TEST_CASE("what a failed group settled is given back when the group had reached the disk after all") {
  MemStore disk;
  Life life(disk);
  const LaneId lane = life.lane();
  const CursorId cursor = life.cursor(lane);
  REQUIRE(life.run(life.queue.append(lane, record("old"))).has_value());
  (void)life.payloads(cursor);
  disk.fail_next_commit(Errc::io_error, MemStore::Outcome::applied);
  life.queue.ack(cursor, {Seq{2}, {}, {}, 0, 0, 0});
  REQUIRE(life.run(append_until_taken(life, lane, "new")).has_value());
  REQUIRE(life.run(written(life)));
  CHECK(disk.record_count() == 2);  // "new", once as the failed group left it and once repeated
}

TEST_CASE("what a dropped cursor needed is given back once no crash can bring the cursor back") {
  MemStore disk;
  {
    WalLimits limits = quick();
    limits.ack_delay = 1h;  // a drop alone makes no group
    Life life(disk, limits);
    const LaneId lane = life.lane();
    life.cursor(lane, "gone");
    for (const char* payload : {"a", "b"})
      REQUIRE(life.run(life.queue.append(lane, record(payload))).has_value());
    // The group under way knows nothing of the drop.
    boost::asio::co_spawn(life.io, life.queue.append(lane, record("c")), boost::asio::detached);
    auto drop = [](Life& l, LaneId of) -> awaitable<bool> {
      (void)l.queue.drop_cursor(of, "gone");
      while (l.store.commits() < 3) co_await sleep_until(l.clock, l.clock.now() + 1ms);
      co_await written(l);
      co_return co_await written(l);
    };
    CHECK(life.run(drop(life, lane)));
    CHECK(disk.record_count() == 3);
    disk.crash();
  }
  Life life(disk);
  const LaneId lane = life.lane();
  REQUIRE(life.queue.cursors(lane).size() == 1);
  CHECK(life.payloads(life.cursor(lane, "gone")) == Payloads{"a", "b", "c"});
}

TEST_CASE("a record as large as all that may wait is taken when nothing else waits") {
  MemStore disk;
  WalLimits limits = quick();
  limits.waiting_bytes = 1000;
  Life life(disk, limits);
  const LaneId lane = life.lane();
  CHECK(life.run(life.queue.append(lane, record(std::string(2000, 'x')))).has_value());
}

}  // namespace
}  // namespace tideover::wal
