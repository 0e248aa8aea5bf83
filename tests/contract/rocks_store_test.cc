// What RocksStore promises beyond the port: who may use a directory, and what it takes.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/contract/disks.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/skip.h"
#include "wal/store_directory.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr LaneId kMetrics{7};
constexpr LaneId kParked{9};
constexpr std::uint64_t kMiB = 1 << 20;

// Appends `bytes` of records in groups of 8 x 14 KB.
void append(Store& store, LaneWriter& lane, std::uint64_t bytes) {
  const std::string payload(14'000, 'p');
  for (std::uint64_t written = 0; written < bytes;) {
    StoreBatch batch;
    for (int i = 0; i < 8; ++i) batch.records.push_back(lane.put(payload));
    written += 8 * payload.size();
    batch.meta.emplace_back("commit", std::to_string(lane.tail().value));
    REQUIRE(store.commit(batch));
  }
}

std::uint64_t table_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.path().extension() == ".sst") bytes += entry.file_size();
  return bytes;
}

}  // namespace

TEST_CASE("a second agent on the same directory is told who uses it", "[rocks]") {
  RocksDisk disk;
  REQUIRE(disk.store().open());
  RocksStore second(disk.options());
  const auto refused = second.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::store_busy);
  CHECK(refused.error().detail.find(fmt::format("process {}", ::getpid())) != std::string::npos);
}

TEST_CASE("a directory of ours that others may enter is closed to them, as kubelet leaves it before a start",
          "[rocks]") {
  RocksDisk disk;
  REQUIRE(disk.store().open());
  const auto mode_before = GENERATE(02770, 0777, 0750, 0755);
  REQUIRE(::chmod(disk.directory().c_str(), mode_before) == 0);
  disk.lose_power();
  REQUIRE(disk.store().open());
  struct stat info {};
  REQUIRE(::stat(disk.directory().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
}

TEST_CASE("whoever asks who uses a store is told, and is in nobody's way", "[rocks]") {
  RocksDisk disk;
  CHECK_FALSE(lock_holder(disk.directory()));
  REQUIRE(disk.store().open());
  CHECK(lock_holder(disk.directory()) == fmt::format("process {}", ::getpid()));
}

TEST_CASE("a directory of another user is refused with the command that cures it", "[rocks]") {
  if (::geteuid() != 0 && test::cannot_run("needs root to give a directory away")) return;
  RocksDisk disk;
  fs::create_directory(disk.directory());
  ::chmod(disk.directory().c_str(), 0700);
  REQUIRE(::chown(disk.directory().c_str(), 12345, 12345) == 0);
  const auto refused = disk.store().open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::store_refused);
  CHECK(refused.error().detail.find("chown -R 0 " + disk.directory()) != std::string::npos);
}

TEST_CASE("a file in the place of the directory is refused", "[rocks]") {
  RocksDisk disk;
  std::ofstream(disk.directory()) << "not a directory";
  CHECK(disk.store().open().error().code == Errc::store_refused);
}

TEST_CASE("a directory in a newer format is refused, and its content is not touched", "[rocks]") {
  RocksDisk disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a")}, {{std::string(kFormatKey), "3"}, {"cursor", "1"}})));
  disk.lose_power();
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = disk.store().open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::store_refused);
    CHECK(refused.error().detail.find("format 3") != std::string::npos);
    CHECK(refused.error().detail.find("up to 2") != std::string::npos);
  }
}

TEST_CASE("nobody else can look into a directory that the store made", "[rocks]") {
  RocksDisk disk;
  REQUIRE(disk.store().open());
  struct stat info {};
  REQUIRE(::stat(disk.directory().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0700U);
}

TEST_CASE("a healthy agent's records hardly ever reach a table file", "[rocks]") {
  RocksDisk disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  for (int round = 0; round < 60; ++round) {
    append(disk.store(), lane, 1 * kMiB);
    disk.store().release(kMetrics, next(lane.tail()));
  }
  // Of what was not released when its memtable was full, about one group in eight megabytes.
  CHECK(table_bytes(disk.directory()) < 4 * kMiB);
  CHECK(used_bytes(disk.directory()) < 80 * kMiB);
}

TEST_CASE("disk use falls back after a backlog has drained", "[rocks]") {
  RocksDisk disk;
  LaneWriter metrics(kMetrics), parked(kParked);
  REQUIRE(disk.store().open());
  append(disk.store(), parked, kMiB);
  append(disk.store(), metrics, 200 * kMiB);
  const std::uint64_t full = used_bytes(disk.directory());
  CHECK(full > 200 * kMiB);

  // A backlog of one lane that another lane's records lie in the midst of, acknowledged bit by bit.
  for (Seq before{1}; before < metrics.tail(); before = Seq{before.value + 50})
    disk.store().release(kMetrics, before);
  disk.store().release(kMetrics, metrics.tail());  // the last record stays, as the queue asks for it
  CHECK(table_bytes(disk.directory()) < 24 * kMiB);
  CHECK(used_bytes(disk.directory()) < 80 * kMiB);

  const auto kept = disk.store().read({kParked, Seq{1}, next(parked.tail()), 10 * kMiB});
  REQUIRE(kept);
  CHECK(kept->records.size() == parked.tail().value);
  const auto witness = disk.store().read({kMetrics, metrics.tail(), next(metrics.tail()), kMiB});
  REQUIRE(witness);
  CHECK(witness->records.size() == 1);
}

TEST_CASE("what lies between records that are kept is given back, and they are not", "[rocks]") {
  RocksDisk disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  append(disk.store(), lane, 10 * kMiB);
  const SeqRange first{Seq{1}, next(lane.tail())};
  append(disk.store(), lane, 100 * kMiB);
  const Seq second_from = next(lane.tail());
  append(disk.store(), lane, 5 * kMiB);
  const SeqRange second{second_from, next(lane.tail())};
  append(disk.store(), lane, 100 * kMiB);
  const auto all_there = [&](const SeqRange& range) {
    std::uint64_t found = 0;
    for (Seq at = range.from; at < range.until;) {
      const auto read = disk.store().read({kMetrics, at, range.until, kMiB});
      REQUIRE(read);
      found += read->records.size();
      at = read->next;
    }
    return found == range.until.value - range.from.value;
  };

  // A live cursor moves on, bit by bit, and then stands at the end.
  for (Seq before = second.until; before < lane.tail(); before = Seq{before.value + 50})
    disk.store().release(kMetrics, {before, {first, second}});
  for (int look = 0; look < 64; ++look) disk.store().release(kMetrics, {lane.tail(), {first, second}});
  CHECK(table_bytes(disk.directory()) < 100 * kMiB);
  CHECK(all_there(first));
  CHECK(all_there(second));
  disk.lose_power();
  REQUIRE(disk.store().open());
  for (int look = 0; look < 64; ++look) disk.store().release(kMetrics, {lane.tail(), {first, second}});
  CHECK(table_bytes(disk.directory()) < 100 * kMiB);
  CHECK(all_there(first));
  CHECK(all_there(second));

  disk.store().release(kMetrics, lane.tail());
  CHECK(table_bytes(disk.directory()) < 24 * kMiB);
}

TEST_CASE("dead records that a crash brought back are given back again", "[rocks]") {
  RocksDisk disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  append(disk.store(), lane, 30 * kMiB);
  disk.lose_power();
  REQUIRE(disk.store().open());
  CHECK(table_bytes(disk.directory()) > 20 * kMiB);
  disk.store().release(kMetrics, next(lane.tail()));
  CHECK(table_bytes(disk.directory()) < 2 * kMiB);
}

TEST_CASE("memory stays bounded while a backlog grows and is read", "[rocks]") {
  RocksDisk disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  append(disk.store(), lane, 100 * kMiB);
  for (Seq from{1}; from <= lane.tail();) {
    const auto range = disk.store().read({kMetrics, from, next(lane.tail()), kMiB});
    REQUIRE(range);
    from = range->next;
    CHECK(disk.store().usage().memory_bytes < 40 * kMiB);
  }
}

TEST_CASE("the ballast is set aside when there is room and counted as ours", "[rocks]") {
  RocksDisk disk;
  disk.options().ballast_bytes = kMiB;
  disk.lose_power();
  REQUIRE(disk.store().open());
  CHECK(fs::file_size(disk.path("BALLAST")) == kMiB);
  CHECK(used_bytes(disk.directory()) >= kMiB);
  CHECK(disk.store().usage().disk_bytes >= kMiB);
}

}  // namespace tideover::wal
