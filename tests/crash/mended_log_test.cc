// Damaged logs are written anew before RocksDB sees them: what is intact in them counts, once and for good,
// also when the next crash comes in the middle of that.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "wal/rocks/careful_reader.h"
#include "wal/rocks/clean_log.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/log_mend.h"

namespace tideover::wal {

namespace fs = std::filesystem;
using disk::BadSectors;
using disk::Extent;

namespace {

constexpr std::uint64_t kSmallGroups = 5, kInLargeGroup = 40;
constexpr std::uint64_t kAll = kSmallGroups + kInLargeGroup;

RocksOptions options(const std::string& directory) {
  return {
      .directory = directory, .ballast_bytes = 0, .read_patience = std::chrono::milliseconds(2), .note = {}};
}

// kSmallGroups of one record, then one that is written in several log records, as kill -9 leaves them.
class LargeGroupAtTheEnd {
 public:
  LargeGroupAtTheEnd() {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    for (std::uint64_t group = 1; group <= kSmallGroups; ++group)
      REQUIRE(store.commit(batch_of({lane.put(payload(lane))}, {{"commit", std::to_string(group)}})));
    StoreBatch large;
    for (std::uint64_t i = 0; i < kInLargeGroup; ++i) large.records.push_back(lane.put(payload(lane)));
    large.meta = {{"commit", std::to_string(kSmallGroups + 1)}};
    REQUIRE(store.commit(large));
  }

  static std::string payload(const LaneWriter& lane) {
    return payload_of(kMetrics, lane.tail().value + 1, kMetricBytes);
  }
  fs::path log() const {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().extension() == ".log" && (newest.empty() || newest < entry.path()))
        newest = entry.path();
    return newest;
  }
  std::uint64_t intact(Store& store) const {
    const Seen seen = read_lane(store, kMetrics, kAll, kMetricBytes);
    CHECK(seen.altered == 0);
    return seen.present;
  }

 private:
  TempDirectory root_;

 public:
  const std::string directory = root_ / "store";
};

struct Sectors {
  Sectors() { BadSectors::of_process().clear(); }
  ~Sectors() { BadSectors::of_process().clear(); }
};

// Both halves of the opening that a crash can part: the logs are mended, and RocksDB has not come to them.
void mend_and_crash(const std::string& directory) {
  CarefulReader reader(directory, std::chrono::milliseconds(2));
  const auto logs = look_through_logs(reader, directory);
  REQUIRE(logs);
  REQUIRE(mend_logs(reader, *logs, directory + "/lost", [](const std::string&) {}));
}

}  // namespace

TEST_CASE("a group in parts whose end is damaged was written whole, and stays", "[crash]") {
  const std::uintmax_t back = GENERATE(20, 60, 100);  // all of them in the end, which holds no record
  const bool crash_between = GENERATE(false, true);
  LargeGroupAtTheEnd written;
  flip(written.log(), fs::file_size(written.log()) - back);
  if (crash_between) mend_and_crash(written.directory);
  for (int life = 0; life < 2; ++life) {
    RocksStore store(options(written.directory));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->tails.at(kMetrics).seq == Seq{kAll});
    CHECK(image->damaged_at_tail == 0);
    CHECK(written.intact(store) == kAll);
  }
}

TEST_CASE("a group in parts whose end cannot be read was written whole, and loses what cannot be read",
          "[crash]") {
  Sectors sectors;
  LargeGroupAtTheEnd written;
  const std::uintmax_t last_page = (fs::file_size(written.log()) - 1) / disk::kPage;
  BadSectors::of_process().add(written.log(), Extent::page(last_page));
  for (int life = 0; life < 2; ++life) {
    RocksStore store(options(written.directory));
    const auto image = store.open();
    REQUIRE(image);
    const std::uint64_t intact = written.intact(store);
    CHECK(intact >= kAll - 1);  // the page reaches into the last record, and not into the one before
    if (life == 0) CHECK(image->damaged_at_tail >= kAll - intact);
  }
}

TEST_CASE("a group in parts that was cut before its end still counts for nothing", "[crash]") {
  LargeGroupAtTheEnd written;
  fs::resize_file(written.log(), fs::file_size(written.log()) - 20'000);
  RocksStore store(options(written.directory));
  const auto image = store.open();
  REQUIRE(image);
  CHECK(image->tails.at(kMetrics).seq == Seq{kSmallGroups});
  CHECK(image->damaged_at_tail == 0);
}

TEST_CASE("a torn end behind a long record is no damage", "[crash]") {
  LargeGroupAtTheEnd written;
  const fs::path log = written.log();
  const std::uintmax_t size = fs::file_size(log);
  // Wherever the cut falls, in whatever block: what lies before it in the block belongs to the record, too.
  for (std::uintmax_t cut = size; cut > 50'000; cut -= std::min<std::uintmax_t>(cut, 5'000)) {
    INFO("cut at " << cut << " of " << size);
    fs::resize_file(log, cut);
    CarefulReader reader(written.directory, {});
    const auto logs = look_through_logs(reader, written.directory);
    REQUIRE(logs);
    CHECK(logs->damaged.empty());
    CHECK(logs->lost_at_tail == 0);
  }
}

TEST_CASE("damage in several places of a log costs the records that were hit, also before a torn end",
          "[crash]") {
  const bool torn = GENERATE(false, true);
  const bool crash_between = GENERATE(false, true);
  TempDirectory root;
  const std::string directory = root / "store";
  constexpr std::uint64_t kGroups = 30, kInGroup = 10;
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    LaneWriter lane(kLogs);
    for (std::uint64_t group = 1; group <= kGroups; ++group) {
      StoreBatch batch;
      for (std::uint64_t i = 0; i < kInGroup; ++i)
        batch.records.push_back(lane.put(payload_of(kLogs, lane.tail().value + 1, 900)));
      batch.meta = {{"commit", std::to_string(group)}};
      REQUIRE(store.commit(batch));
    }
  }
  fs::path log;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log = entry.path();
  // Two groups of one block, and one far behind them.
  for (const std::uintmax_t at : {10'500U, 21'000U, 200'000U}) flip(log, at);
  if (torn) fs::resize_file(log, fs::file_size(log) - 3000);  // in the last group
  const std::uint64_t written = (torn ? kGroups - 1 : kGroups) * kInGroup;

  if (crash_between) mend_and_crash(directory);
  for (int life = 0; life < 2; ++life) {
    RocksStore store(options(directory));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->tails.at(kLogs).seq == Seq{written});
    const Seen seen = read_lane(store, kLogs, written, 900);
    CHECK(seen.altered == 0);
    CHECK(seen.present >= written - 3);
    for (const auto& entry : fs::directory_iterator(directory))
      CHECK(entry.path().extension() != ".clean");  // gone with the log that it stood for
  }
}

TEST_CASE("what an earlier life wrote for a log of the same number is never read instead of it", "[crash]") {
  const bool built_anew = GENERATE(false, true);
  LargeGroupAtTheEnd written;
  const fs::path log = written.log();
  std::ofstream(clean_log(log.string())) << "";  // an empty log, which reads well
  if (built_anew)
    for (const auto& entry : fs::directory_iterator(written.directory))
      if (entry.path().filename().string().starts_with("MANIFEST-")) fs::resize_file(entry.path(), 0);
  RocksStore store(options(written.directory));
  REQUIRE(store.open());
  CHECK(written.intact(store) == kAll);
}

TEST_CASE("a rebuild leaves nothing that could stand for a log of the new store", "[crash]") {
  LargeGroupAtTheEnd written;
  flip(written.log(), 20'000);
  for (const auto& entry : fs::directory_iterator(written.directory))
    if (entry.path().filename().string().starts_with("MANIFEST-")) fs::resize_file(entry.path(), 0);
  RocksStore store(options(written.directory));
  REQUIRE(store.open());
  CHECK(written.intact(store) >= kAll - 1);
  for (const auto& entry : fs::recursive_directory_iterator(written.directory))
    CHECK(entry.path().extension() != ".clean");
}

TEST_CASE("what a crash leaves of a log that was taken in is removed", "[crash]") {
  LargeGroupAtTheEnd written;
  std::ofstream(written.directory + "/000001.log.clean") << "of an earlier life";
  RocksStore store(options(written.directory));
  REQUIRE(store.open());
  CHECK_FALSE(fs::exists(written.directory + "/000001.log.clean"));
  CHECK(written.intact(store) == kAll);
}

TEST_CASE("a log of which nothing is intact keeps no store from opening, whatever the logs before it hold",
          "[crash]") {
  const LargeGroupAtTheEnd written;
  {
    RocksStore store(options(written.directory));
    REQUIRE(store.open());  // so that the numbers of what the log before holds do not begin at the first
    REQUIRE(store.commit(batch_of({}, {{"commit", "before"}})));
  }
  const fs::path before = written.log();
  // A new log has its first group, and the one before is still needed: what stands in it cannot be read.
  const fs::path newest = before.parent_path() / fmt::format("{:06}.log", std::stoi(before.stem()) + 1);
  CleanLog group(1'000'000);
  const std::string value(1000, 'v');
  group.put({true, 0, "key", value});
  std::ofstream(newest, std::ios::binary) << group.finish();
  Sectors sectors;
  BadSectors::of_process().add(newest, Extent::page(0));
  RocksStore store(options(written.directory));
  REQUIRE(store.open());
  CHECK(written.intact(store) == kAll);
  REQUIRE(store.commit(batch_of({}, {{"commit", "after"}})));
  const auto again = store.open();
  REQUIRE(again);
  CHECK(again->meta.at("commit") == "after");
}

}  // namespace tideover::wal
