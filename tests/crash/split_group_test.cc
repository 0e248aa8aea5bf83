// A group that is written in parts, and damage where it ends: it was acknowledged, so it stays, whatever was
// written behind it.
#include <filesystem>
#include <fmt/format.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/rocks_surgery.h"
#include "tests/support/temp_directory.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBefore = 3, kSplit = 40;
constexpr std::size_t kBytes = 14'000;

fs::path log_of(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
  FAIL("no log in " << directory);
  return {};
}

// A store in one log, as kill -9 leaves it: small groups, one of several parts, and so many small ones
// behind.
class SplitStore {
 public:
  explicit SplitStore(std::uint64_t behind) : records_(kBefore + kSplit + behind) {
    const std::string written = root_ / "written";
    RocksStore store(options(written));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    std::uint64_t commit = 0;
    const auto write = [&](std::uint64_t records) {
      StoreBatch batch;
      for (std::uint64_t i = 0; i < records; ++i)
        batch.records.push_back(lane.put(payload_of(kMetrics, lane.tail().value + 1, kBytes)));
      batch.meta = {{"commit", std::to_string(++commit)}};
      REQUIRE(store.commit(batch));
    };
    for (std::uint64_t i = 0; i < kBefore; ++i) write(1);
    write(kSplit);
    end_of_split_ = fs::file_size(log_of(written));
    for (std::uint64_t i = 0; i < behind; ++i) write(1);
    fs::copy(written, directory_);
    fs::permissions(directory_, fs::perms::owner_all);
  }

  static RocksOptions options(const std::string& directory) {
    RocksOptions options{.directory = directory, .ballast_bytes = 0, .memtable_bytes = 8 << 20, .note = {}};
    options.read_patience = std::chrono::milliseconds(2);
    return options;
  }
  fs::path log() const { return log_of(directory_); }
  const std::string& directory() const { return directory_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t end_of_split() const { return end_of_split_; }  // in the log

 private:
  TempDirectory root_;
  const std::string directory_ = root_ / "killed";
  const std::uint64_t records_;
  std::uint64_t end_of_split_ = 0;
};

}  // namespace

TEST_CASE("a group in parts stays when its end is damaged, whatever was written behind it", "[crash]") {
  const std::uint64_t behind = GENERATE(0, 1, 5);
  const std::uint64_t back = GENERATE(2, 20, 60);
  SplitStore written(behind);
  flip(written.log(), written.end_of_split() - back);
  INFO(behind << " groups behind it, byte " << back << " before its end");
  for (int life = 0; life < 2; ++life) {
    RocksStore store(SplitStore::options(written.directory()));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->tails.at(kMetrics).seq == Seq{written.records()});
    const Seen seen = read_lane(store, kMetrics, written.records(), kBytes);
    CHECK(seen.present == written.records());
    CHECK(seen.altered == 0);
  }
}

// The page holds records of the group and behind it, too.
TEST_CASE("a group in parts stays when its end cannot be read, but for what lay in the page", "[crash]") {
  const std::uint64_t behind = GENERATE(0, 1, 5);
  SplitStore written(behind);
  disk::BadSectors& sectors = disk::BadSectors::of_process();
  sectors.clear();
  sectors.add(written.log(), disk::Extent::page((written.end_of_split() - 1) / disk::kPage));
  for (int life = 0; life < 2; ++life) {
    RocksStore store(SplitStore::options(written.directory()));
    REQUIRE(store.open());
    const Seen seen = read_lane(store, kMetrics, written.records(), kBytes);
    CHECK(seen.present + 2 >= written.records());
    CHECK(seen.altered == 0);
  }
  sectors.clear();
}

// Which was told to nobody, and whose numbers were given again: what came later counts, however late a
// compaction has put the old into a new table.
TEST_CASE("a group that was never finished does not come back when the store is built anew", "[crash]") {
  SplitStore written(0);
  fs::resize_file(written.log(), written.end_of_split() - 20);
  {
    RocksStore store(SplitStore::options(written.directory()));
    const auto image = store.open();
    REQUIRE(image);
    REQUIRE(image->tails.at(kMetrics).seq == Seq{kBefore});
    LaneWriter lane(kMetrics, Seq{kBefore + 1});
    while (lane.tail().value < written.records()) REQUIRE(store.commit(batch_of({lane.put("after", 1)})));
    REQUIRE(store.open());  // writes them into a table
  }
  compact_oldest_table(written.directory());
  fs::remove(written.directory() + "/CURRENT");
  for (const auto& entry : fs::directory_iterator(written.directory()))
    if (kind_of(entry.path()) == "MANIFEST") fs::resize_file(entry.path(), 0);

  RocksStore store(SplitStore::options(written.directory()));
  REQUIRE(store.open());
  const auto range = store.read({kMetrics, Seq{kBefore + 1}, Seq{written.records() + 1}, 1 << 20});
  REQUIRE(range);
  CHECK(range->records.size() == kSplit);
  for (const StoredRecord& record : range->records) CHECK(record.payload() == "after");
}

}  // namespace tideover::wal
