// The queue on RocksStore, with bytes of the directory damaged between two lives.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/contract/disks.h"
#include "tests/support/catch_result.h"
#include "tests/support/rocks_surgery.h"
#include "tests/support/threaded_life.h"

namespace tideover::wal {
namespace {

using namespace test_support;

namespace fs = std::filesystem;

struct Directory {
  TempDirectory root;
  std::string path = root / "store";
  RocksOptions options() const {
    return {.directory = path, .ballast_bytes = 0, .memtable_bytes = 512 << 10, .note = {}};
  }
  std::vector<fs::path> files(const std::string& extension) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == extension && entry.file_size() > 0) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
};

// As many records as `count`, of ten units each.
void write(ThreadedLife& life, LaneId lane, int count, std::size_t bytes = 14'000) {
  for (int i = 0; i < count; ++i) life.append(lane, std::string(bytes, 'x'), 10);
}

}  // namespace

TEST_CASE("one flipped byte anywhere in a first life's log costs its group, and not the backlog",
          "[damage]") {
  const StartAt start = GENERATE(StartAt::now, StartAt::oldest);
  const int place = GENERATE(10, 100, 300, 600, 1500, 5000, 20'000);
  Directory directory;
  {
    RocksStore store(directory.options());
    ThreadedLife life(store);
    const LaneId lane = life.queue.open_lane("metrics", {0, false});
    life.queue.open_cursor(lane, "thanos", Keep::required, start);
    write(life, lane, 20);
  }
  const auto logs = directory.files(".log");
  REQUIRE_FALSE(logs.empty());
  {
    std::fstream log(logs.front(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekg(place);
    const char byte = static_cast<char>(log.get());
    log.seekp(place);
    log.put(static_cast<char>(byte ^ 0x20));
  }
  RocksStore store(directory.options());
  ThreadedLife life(store);
  const LaneId lane = life.queue.open_lane("metrics", {0, false});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, start);
  const std::size_t delivered = life.drain(lane, cursor).size();
  CHECK(delivered >= 16);  // a block of 32 KiB of the log is what one byte takes
  const CursorUsage usage = life.usage(lane, "thanos");
  CHECK(usage.accepted.units == 200);
  CHECK(lost(usage, Reason::damaged) == 200 - 10 * delivered);
}

TEST_CASE("with the tables of both copies of the meta damaged, numbers go on and nothing is lost",
          "[damage]") {
  const bool crash_again = GENERATE(false, true);
  const bool forgotten = GENERATE(false, true);
  Directory directory;
  {
    RocksStore store(directory.options());
    ThreadedLife life(store);
    const LaneId lane = life.queue.open_lane("metrics", {0, false});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    const LaneId side = life.queue.open_lane("side", {0, false});
    life.queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
    write(life, lane, 60);
    write(life, side, 2);
  }
  {
    RocksStore store(directory.options());
    REQUIRE(store.open());  // everything stands in tables from here on
  }
  if (forgotten)
    forget_meta(directory.path);
  else
    REQUIRE(damage_tables(directory.path, "cursor/") >= 2);
  if (crash_again) {
    RocksStore store(directory.options());
    REQUIRE(store.open());
  }
  RocksStore store(directory.options());
  ThreadedLife life(store);
  const LaneId lane = life.queue.open_lane("metrics", {0, false});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  write(life, lane, 1);
  CHECK(life.drain(lane, cursor).size() == 61);
  CHECK(life.usage(lane, "thanos").position == Seq{62});
  const LaneId side = life.queue.open_lane("side", {0, false});
  const CursorId aside = life.queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
  write(life, side, 1);
  CHECK(life.drain(side, aside).size() == 3);
  CHECK(lost(life.usage(side, "thanos"), Reason::damaged) == 0);
}

// Tables that moved down stand side by side on one level, where RocksDB goes from one to the next by itself.
TEST_CASE("a table whose beginning is damaged hides none of those behind it", "[damage]") {
  constexpr int kRecords = 400;
  Directory directory;
  {
    RocksStore store(directory.options());
    ThreadedLife life(store);
    const LaneId lane = life.queue.open_lane("metrics", {0, false});
    life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
    write(life, lane, kRecords);
  }
  std::vector<std::string> tables;
  while ((tables = deep_tables(directory.path)).size() < 4) {
    RocksStore store(directory.options());  // moves them while it is open
    REQUIRE(store.open());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const std::size_t behind = GENERATE(0, 1, 2, 3);
  {
    std::fstream table(tables[behind], std::ios::in | std::ios::out | std::ios::binary);
    table << std::string(4096, '\0');
  }
  WalLimits limits = quick();
  limits.tail_bytes = 0;
  RocksStore store(directory.options());
  ThreadedLife life(store, limits);
  const LaneId lane = life.queue.open_lane("metrics", {0, false});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest);
  CHECK(life.drain(lane, cursor).size() >= kRecords - 1);  // of 14 KB each
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) <= 10);
}

TEST_CASE("a best-effort cursor is trimmed past a table that does not read", "[damage]") {
  Directory directory;
  {
    RocksStore store(directory.options());
    ThreadedLife life(store);
    const LaneId lane = life.queue.open_lane("metrics", {0, false});
    life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
    write(life, lane, 3000, 900);
  }
  fs::path target;
  for (const fs::path& table : directory.files(".sst"))
    if (fs::file_size(table) > 400'000 && target.empty()) target = table;
  REQUIRE_FALSE(target.empty());
  {
    std::fstream table(target, std::ios::in | std::ios::out | std::ios::binary);
    table << std::string(320 << 10, '\0');
  }
  WalLimits limits = quick();
  limits.tail_bytes = 0;
  RocksStore store(directory.options());
  ThreadedLife life(store, limits);
  const LaneId lane = life.queue.open_lane("metrics", {1'000'000, false});
  life.queue.open_cursor(lane, "b", Keep::best_effort, StartAt::oldest);
  life.until([&] { return life.queue.usage(lane).held.bytes <= 1'000'000; });
  const CursorUsage usage = life.usage(lane, "b");
  CHECK(lost(usage, Reason::damaged) / 10 > 256);  // more than one read
  CHECK(lost(usage, Reason::budget) > 0);
  life.check_closed(lane);
}

TEST_CASE("the space of a drained lane comes back, also after a restart and beside a lane that works",
          "[space]") {
  const bool restart = GENERATE(false, true);
  Directory directory;
  const auto tables = [&directory] {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(directory.path)) {
      std::error_code gone;  // a compaction removes tables meanwhile
      const std::uintmax_t size = entry.path().extension() == ".sst" ? entry.file_size(gone) : 0;
      if (!gone) bytes += size;
    }
    return bytes;
  };
  auto store = std::make_unique<RocksStore>(directory.options());
  auto life = std::make_unique<ThreadedLife>(*store);
  LaneId side = life->queue.open_lane("side", {0, false});
  life->queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
  LaneId main = life->queue.open_lane("main", {0, false});
  life->queue.open_cursor(main, "thanos", Keep::required, StartAt::now);
  for (int i = 0; i < 60; ++i) {
    write(*life, side, 25);
    write(*life, main, 1);
  }
  REQUIRE(tables() > (16 << 20));
  if (restart) {
    life.reset();
    store = std::make_unique<RocksStore>(directory.options());
    life = std::make_unique<ThreadedLife>(*store);
    side = *life->queue.find_lane("side");
    main = *life->queue.find_lane("main");
  }
  const CursorId cursor = life->queue.open_cursor(side, "thanos", Keep::required, StartAt::now);
  CHECK(life->drain(side, cursor).size() == 1500);
  life->until([&] { return tables() < (4 << 20); });
  const CursorId kept = life->queue.open_cursor(main, "thanos", Keep::required, StartAt::now);
  CHECK(life->drain(main, kept).size() == 60);
}

}  // namespace tideover::wal
