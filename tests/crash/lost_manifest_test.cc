// A manifest that has lost its end names neither the newest tables nor, when it was young, the families: what
// RocksDB would delete or pass over as unknown is the backlog.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kRecords = 400;

std::string payload_of(std::uint64_t seq) { return fmt::format("{}:{}", seq, std::string(14'000, 'x')); }

RocksOptions options(const std::string& directory) {
  return {.directory = directory, .ballast_bytes = 0, .memtable_bytes = 512 << 10, .note = {}};
}

fs::path manifest_of(const std::string& directory) {
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with("MANIFEST-")) return entry.path();
  return {};
}

// A file system that moves no table.
class Stuck final : public rocksdb::FileSystemWrapper {
 public:
  Stuck() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "Stuck"; }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
    if (from.ends_with(".sst")) return rocksdb::IOStatus::IOError("rename", "it does not move");
    return FileSystemWrapper::RenameFile(from, to, options, debug);
  }
};

std::uint64_t intact_records(Store& store) {
  std::uint64_t count = 0;
  for (Seq from{1}; from < Seq{kRecords + 1};) {
    const auto range = store.read({kMetrics, from, Seq{kRecords + 1}, 4 << 20});
    REQUIRE(range);
    for (const StoredRecord& record : range->records)
      if (record.payload() == payload_of(record.seq.value)) ++count;
    from = range->next;
  }
  return count;
}

}  // namespace

// Of a store that was opened once, the manifest names the families in its last words, and everything is in a
// log: RocksDB would create the families anew, and pass over all that the log holds for the old ones.
TEST_CASE("the manifest of a store that was opened once may lose its end", "[crash]") {
  TempDirectory root;
  const std::string written = root / "written";
  {
    RocksOptions roomy = options(written);
    roomy.memtable_bytes = 64 << 20;  // no table, so no further word in the manifest
    RocksStore store(roomy);
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    for (std::uint64_t seq = 1; seq <= kRecords; ++seq)
      REQUIRE(store.commit(batch_of({lane.put(payload_of(seq))}, {{"commit", std::to_string(seq)}})));
  }
  const std::uintmax_t size = fs::file_size(manifest_of(written));
  REQUIRE(size < 2000);
  for (std::uintmax_t kept = 0; kept < size; kept += 1 + size / 25) {
    const std::string copy = root / "copy";
    fs::remove_all(copy);
    fs::copy(written, copy);
    fs::permissions(copy, fs::perms::owner_all);
    fs::resize_file(manifest_of(copy), kept);
    INFO("manifest of " << size << " bytes cut to " << kept);
    RocksStore store(options(copy));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->meta.at("commit") == std::to_string(kRecords));
    CHECK(image->tails.at(kMetrics).seq == Seq{kRecords});
    CHECK(intact_records(store) == kRecords);
  }
}

TEST_CASE("a manifest cut anywhere costs nothing", "[crash]") {
  TempDirectory root;
  const std::string written = root / "written";
  {
    RocksStore store(options(written));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    for (std::uint64_t seq = 1; seq < kRecords; ++seq) {
      REQUIRE(store.commit(batch_of({lane.put(payload_of(seq))}, {{"commit", std::to_string(seq)}})));
      // Opening writes what the logs hold into tables, and lets the logs go.
      if (seq % 100 == 0) REQUIRE(store.open());
    }
    REQUIRE(store.open());
    REQUIRE(store.commit(batch_of({lane.put(payload_of(kRecords))}, {{"commit", std::to_string(kRecords)}})));
  }
  const std::uintmax_t size = fs::file_size(manifest_of(written));
  for (std::uintmax_t kept = 0; kept < size; kept += 1 + size / 40) {
    const std::string copy = root / "copy";
    fs::remove_all(copy);
    fs::copy(written, copy);
    fs::permissions(copy, fs::perms::owner_all);
    fs::resize_file(manifest_of(copy), kept);
    INFO("manifest of " << size << " bytes cut to " << kept);
    RocksStore store(options(copy));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->meta.at("commit") == std::to_string(kRecords));
    CHECK(image->tails.at(kMetrics).seq == Seq{kRecords});
    CHECK(intact_records(store) == kRecords);
    CHECK_FALSE(fs::exists(copy + "/unknown"));

    // The store goes on, and what it found again stays.
    LaneWriter more(kMetrics, Seq{kRecords + 1});
    REQUIRE(store.commit(batch_of({more.put("after")}, {{"commit", "after"}})));
    const auto again = store.open();
    REQUIRE(again);
    CHECK(again->tails.at(kMetrics).payload() == "after");
    CHECK(intact_records(store) == kRecords);
  }
}

TEST_CASE("tables that a cut manifest has forgotten stay when they cannot be moved", "[crash]") {
  const std::uintmax_t kept = GENERATE(60, 80, 90);  // of a hundred
  TempDirectory root;
  const std::string directory = root / "store";
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    for (std::uint64_t seq = 1; seq <= kRecords; ++seq)
      REQUIRE(store.commit(batch_of({lane.put(payload_of(seq))}, {{"commit", std::to_string(seq)}})));
    REQUIRE(store.open());  // from the log into tables
  }
  fs::resize_file(manifest_of(directory), fs::file_size(manifest_of(directory)) * kept / 100);
  SECTION("since a file has the name of their directory") {
    std::ofstream(directory + "/unknown") << "in the way";
    RocksStore store(options(directory));
    CHECK_FALSE(store.open());
    fs::remove(directory + "/unknown");
  }
  SECTION("since the disk does not move them") {
    const auto stuck = rocksdb::NewCompositeEnv(std::make_shared<Stuck>());
    RocksOptions wanting = options(directory);
    wanting.env = stuck.get();
    RocksStore store(wanting);
    if (store.open()) CHECK(intact_records(store) == kRecords);  // built anew, of what lies where it lies
  }
  RocksStore store(options(directory));
  REQUIRE(store.open());
  CHECK(intact_records(store) == kRecords);
}

}  // namespace tideover::wal
