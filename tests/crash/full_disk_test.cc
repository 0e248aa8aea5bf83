// A real ext4 that runs full in the middle of writes: commits say so, reads go on, nothing acknowledged is
// missing, and when space returns the store opens again by itself.
//
// Needs root and a loop device, and counts as skipped without them.
#include <filesystem>
#include <fmt/format.h>

#include "tests/crash/loop_disk.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/skip.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kMiB = 1 << 20;

std::string payload_of(std::uint64_t seq) {
  std::string text = fmt::format("{}:", seq);
  text.resize(14'000, static_cast<char>('a' + seq % 26));
  return text;
}

void check_readable(Store& store, Seq tail) {
  std::uint64_t expected = 1;
  for (Seq from{1}; from <= tail;) {
    const auto range = store.read({kMetrics, from, next(tail), 4 * kMiB});
    REQUIRE(range);
    for (const StoredRecord& record : range->records) {
      REQUIRE(record.seq.value == expected++);
      REQUIRE(record.payload() == payload_of(record.seq.value));
    }
    from = range->next;
  }
  CHECK(expected == tail.value + 1);
}

// Commits until the store says no; returns what was acknowledged last.
Seq fill(Store& store, LaneWriter& lane, Error& refusal) {
  for (int round = 0; round < 4000; ++round) {
    const Seq acknowledged = lane.tail();
    StoreBatch batch;
    for (int i = 0; i < 1 + round % 30; ++i)
      batch.records.push_back(lane.put(payload_of(lane.tail().value + 1)));
    batch.meta = {{"commit", std::to_string(lane.tail().value)}};
    const auto committed = store.commit(batch);
    if (committed) continue;
    refusal = committed.error();
    return acknowledged;
  }
  FAIL("the disk never ran full");
  return {};
}

}  // namespace

TEST_CASE("a disk that runs full refuses, goes on reading, and loses nothing acknowledged", "[crash]") {
  if (const auto reason = LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
  LoopDisk disk(192);
  const RocksOptions options{.directory = disk.mount() + "/store",
                             .ballast_bytes = 8 * kMiB,
                             .memtable_bytes = 2 * kMiB,
                             .note = {}};
  auto store = std::make_unique<RocksStore>(options);
  REQUIRE(store->open());
  REQUIRE(fs::exists(options.directory + "/BALLAST"));
  disk.hog(60 * kMiB);

  LaneWriter lane(kMetrics);
  Error refusal;
  const Seq acknowledged = fill(*store, lane, refusal);
  INFO(refusal.detail);
  CHECK(refusal.code == Errc::disk_full);
  check_readable(*store, acknowledged);

  // Somebody takes the ballast's space too: opening fails with the same words, reading goes on.
  fs::remove(options.directory + "/BALLAST");
  disk.hog(0);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto still = store->open();
    REQUIRE_FALSE(still);
    CHECK(still.error().code == Errc::disk_full);
    check_readable(*store, acknowledged);
  }

  SECTION("space returns") {
    disk.free_hog();
    const auto image = store->open();
    REQUIRE(image);
    CHECK(image->tails.at(kMetrics).seq >= acknowledged);
    check_readable(*store, acknowledged);
    LaneWriter more(kMetrics, next(image->tails.at(kMetrics).seq));
    CHECK(store->commit(batch_of({more.put("after")})));
  }
  SECTION("the agent is restarted while the disk is full, and delivers its backlog") {
    store = std::make_unique<RocksStore>(options);
    // It may find room in what the life before it had half written when the disk ran full.
    const auto image = store->open();
    if (!image) CHECK(image.error().code == Errc::disk_full);
    check_readable(*store, acknowledged);
    disk.free_hog();
    REQUIRE(store->open());
    check_readable(*store, acknowledged);
  }
}

TEST_CASE("a start on a disk that others have filled meanwhile opens in the room of the ballast", "[crash]") {
  if (const auto reason = LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
  LoopDisk disk(640);
  const RocksOptions options{.directory = disk.mount() + "/store", .note = {}};
  LaneWriter lane(kMetrics);
  {
    RocksStore store(options);
    REQUIRE(store.open());
    for (int i = 0; i < 300; ++i)
      REQUIRE(store.commit(batch_of({lane.put(payload_of(lane.tail().value + 1))}, {{"commit", "x"}})));
  }
  disk.hog(64 << 10);
  RocksStore store(options);
  REQUIRE(store.open());
  check_readable(store, lane.tail());
  CHECK_FALSE(fs::exists(options.directory + "/BALLAST"));
}

TEST_CASE("the ballast is enough to open again and to give a drained backlog back", "[crash]") {
  if (const auto reason = LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
  LoopDisk disk(640);  // an eighth of which is more than the ballast
  const RocksOptions options{.directory = disk.mount() + "/store", .note = {}};
  RocksStore store(options);
  REQUIRE(store.open());
  disk.hog(120 * kMiB);
  LaneWriter lane(kMetrics);
  Error refusal;
  const Seq acknowledged = fill(store, lane, refusal);
  INFO(refusal.detail);
  CHECK(refusal.code == Errc::disk_full);

  const auto image = store.open();  // in the room of the ballast alone
  REQUIRE(image);
  const Seq tail = image->tails.at(kMetrics).seq;
  CHECK(tail >= acknowledged);
  check_readable(store, acknowledged);
  REQUIRE(store.commit(batch_of({}, {{"cursor", std::to_string(tail.value + 1)}})));
  store.release(kMetrics, next(tail));
  CHECK(disk.free_bytes() > 80 * kMiB);
}

}  // namespace tideover::wal
