// What RocksStore does with a directory that does not open as it is: the cheapest cure first, everything that
// can be read is kept, and a crash in the midst of it is one more beginning.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "tests/contract/disks.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/rocks_surgery.h"
#include "wal/rocks/meta.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kRecords = 60;

std::string payload_of(std::uint64_t seq) { return fmt::format("{}:{}", seq, std::string(14'000, 'x')); }

// A store of a few tables and a log, closed, and what may have happened to it.
class Damaged {
 public:
  // A memtable that is full goes into a table in the background, at a time of its own.
  explicit Damaged(std::uint64_t memtable_bytes = 256 << 10) : memtable_bytes_(memtable_bytes) {
    RocksStore store(options());
    LaneWriter lane(kMetrics);
    const auto write = [&](std::uint64_t upto) {
      while (lane.tail().value < upto)
        REQUIRE(
            store.commit(batch_of({lane.put(payload_of(lane.tail().value + 1))},
                                  {{"commit/of", std::to_string(lane.tail().value)}, {"check/kept", "1"}})));
    };
    REQUIRE(store.open());
    REQUIRE(store.commit(batch_of({}, {{"check/removed", "1"}})));
    write(kRecords * 2 / 3);
    REQUIRE(store.open());  // what the logs hold stands in tables from here on
    REQUIRE(store.commit(batch_of({}, {{"check/removed", ""}})));
    write(kRecords);
  }

  RocksOptions options() {
    return {.directory = directory(),
            .ballast_bytes = 0,
            .memtable_bytes = memtable_bytes_,
            .read_patience = {},
            .note = [this](const std::string& note) { notes_.push_back(note); }};
  }
  std::string directory() const { return root_ / "store"; }
  fs::path at(const std::string& name) const { return fs::path(directory()) / name; }
  std::vector<fs::path> files(const std::string& part, const std::string& below = "") const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(at(below)))
      if (entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  void empty_manifest() {
    for (const fs::path& manifest : files("MANIFEST-")) fs::resize_file(manifest, 0);
  }
  // Records as another store has them in its files of this kind, which are copied to `to`.
  void write_beside(std::vector<StoreBatch::Put> records, const std::string& extension, const fs::path& to) {
    const std::string beside = root_ / "beside";
    {
      RocksStore store({.directory = beside, .ballast_bytes = 0, .note = {}});
      REQUIRE(store.open());
      REQUIRE(store.commit(batch_of(std::move(records))));
      if (extension == ".sst") REQUIRE(store.open());  // from the log into tables
    }
    for (const auto& entry : fs::directory_iterator(beside))
      if (entry.path().extension() == extension && entry.file_size() > 0) fs::copy(entry.path(), to);
  }
  bool noted(const std::string& words) const {
    return std::any_of(notes_.begin(), notes_.end(),
                       [&](const std::string& note) { return note.find(words) != std::string::npos; });
  }
  const Strings& notes() const { return notes_; }

  // Opens it, twice: `missing` records are not there, and all others are what they were.
  void check_opens(std::uint64_t missing = 0) {
    for (int life = 0; life < 2; ++life) {
      RocksStore store(options());
      const auto image = store.open();
      for (const std::string& note : notes_) UNSCOPED_INFO(note);
      REQUIRE(image);
      CHECK(image->meta == std::map<std::string, std::string>{{"check/kept", "1"},
                                                              {"commit/of", std::to_string(kRecords - 1)}});
      CHECK(image->tails.at(kMetrics).seq == Seq{kRecords});
      CHECK_FALSE(image->meta_damaged);
      CHECK(intact(store) == kRecords - missing);
      CHECK_FALSE(fs::exists(at("rebuild")));
      CHECK_FALSE(fs::exists(at("unknown")));
      if (life == 0) continue;
      LaneWriter more(kMetrics, Seq{kRecords + 1});
      REQUIRE(store.commit(batch_of({more.put("after")})));
    }
  }

 private:
  static std::uint64_t intact(Store& store) {
    std::uint64_t count = 0;
    for (Seq from{1}; from < Seq{kRecords + 1};) {
      const auto range = store.read({kMetrics, from, Seq{kRecords + 1}, 4 << 20});
      REQUIRE(range);
      for (const StoredRecord& record : range->records)
        count += record.payload() == payload_of(record.seq.value);
      from = range->next;
    }
    return count;
  }

  const std::uint64_t memtable_bytes_;
  TempDirectory root_;
  Strings notes_;
};

}  // namespace

TEST_CASE("a store that is whole opens without a word", "[rebuild]") {
  Damaged store;
  store.check_opens();
  CHECK(store.notes().empty());
}

TEST_CASE("a store without its manifest is built anew, with all that it held, and says so", "[rebuild]") {
  Damaged store;
  const fs::path manifest = store.files("MANIFEST-").front();
  const bool removed = GENERATE(false, true);
  if (removed)
    fs::remove(manifest);
  else
    fs::resize_file(manifest, 0);
  store.check_opens();
  CHECK(store.noted(removed ? "does not open as it is" : "its manifest has lost its end"));
  CHECK(store.noted("built anew"));
  CHECK(store.noted("the new store holds"));
  CHECK(fs::exists(store.at("lost") / manifest.filename()) != removed);
  CHECK_FALSE(store.noted("is damaged; what is intact was taken out"));
}

TEST_CASE("a store whose CURRENT is lost or wrong is not built anew while a manifest is there", "[rebuild]") {
  const std::string content = GENERATE("", "MANIFEST-999999\n", "gone");
  Damaged store;
  const std::string manifest = store.files("MANIFEST-").back().filename().string();
  std::ofstream(store.at("MANIFEST-000001")) << "an older one, left by a crash";
  if (content == "gone")
    fs::remove(store.at("CURRENT"));
  else
    std::ofstream(store.at("CURRENT")) << content;
  store.check_opens();
  CHECK(store.noted("CURRENT was written anew and names " + manifest));
  CHECK_FALSE(store.noted("built anew;"));
  CHECK_FALSE(store.noted("is built anew from"));
}

TEST_CASE("of a table that is damaged when the store is built anew, what is intact is taken out",
          "[rebuild]") {
  Damaged store;
  fs::path target;
  for (const fs::path& table : store.files(".sst"))  // the oldest: what it holds stands in no log any more
    if (target.empty() && fs::file_size(table) > 100'000) target = table;
  REQUIRE_FALSE(target.empty());
  {
    std::fstream table(target, std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(20'000);
    table << "damaged";
  }
  store.empty_manifest();
  store.check_opens(1);
  CHECK(store.noted(target.filename().string() +
                    " is damaged; what is intact was taken out, and the file is in lost"));
  CHECK(fs::exists(store.at("lost") / target.filename()));
}

TEST_CASE("a damaged log is mended before the store is built anew, and its original kept", "[rebuild]") {
  Damaged store(1 << 20);  // which is never full: what the log holds stands in no table
  fs::path target;
  for (const fs::path& log : store.files(".log"))
    if (fs::file_size(log) > 50'000) target = log;
  REQUIRE_FALSE(target.empty());
  {
    std::fstream log(target, std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(20'000);
    log << "damaged";
  }
  store.empty_manifest();
  store.check_opens(1);
  CHECK(fs::exists(store.at("lost") / target.filename()));
  CHECK(store.files(".clean").empty());
}

TEST_CASE("a rebuild goes on where a crash ended it", "[rebuild]") {
  Damaged store;
  fs::create_directory(store.at("rebuild"));
  const bool current_is_gone = GENERATE(false, true);
  if (current_is_gone) {  // in the midst of setting aside: what leads to the files went first
    fs::create_directory(store.at("lost"));
    fs::remove(store.at("CURRENT"));
    for (const fs::path& manifest : store.files("MANIFEST-"))
      fs::rename(manifest, store.at("lost") / manifest.filename());
    const auto tables = store.files(".sst");
    REQUIRE(tables.size() > 1);
    fs::rename(tables.front(), store.at("rebuild") / tables.front().filename());
  }
  store.check_opens();
  CHECK(store.noted("built anew"));
}

TEST_CASE("files of two databases under one number are all taken in, the newer one last", "[rebuild]") {
  Damaged store;
  fs::create_directory(store.at("rebuild"));
  // The old database's, set aside; the new one died young and gave its number to the log of today.
  fs::path log;
  for (const fs::path& found : store.files(".log"))
    if (fs::file_size(found) > 0) log = found;
  REQUIRE_FALSE(log.empty());
  store.write_beside({LaneWriter(LaneId{9}).put("of the first")}, ".log",
                     store.at("rebuild") / log.filename());
  store.empty_manifest();
  {
    RocksStore opened(store.options());
    const auto image = opened.open();
    REQUIRE(image);
    CHECK(image->tails.at(LaneId{9}).payload() == "of the first");
  }
  store.check_opens();
}

TEST_CASE("tables that the manifest does not name are taken in where the store lacks their records",
          "[rebuild]") {
  Damaged store;
  fs::create_directory(store.at("unknown"));
  LaneWriter lane(kMetrics, Seq{kRecords - 1}), aside(LaneId{9});
  store.write_beside({lane.put("not this"), lane.put("nor this"), aside.put("but this")}, ".sst",
                     store.at("unknown"));
  {
    RocksStore opened(store.options());
    const auto image = opened.open();
    REQUIRE(image);
    CHECK(image->tails.at(LaneId{9}).payload() == "but this");
    CHECK(image->tails.at(kMetrics).payload() == payload_of(kRecords));
  }
  CHECK(store.noted("1 records were found in tables that the manifest does not name"));
  store.check_opens();
}

TEST_CASE("records that were given back are not taken in again", "[rebuild]") {
  const std::uint64_t released_before = GENERATE(1, 3, 4);
  Damaged store;
  {
    RocksStore opened(store.options());
    REQUIRE(opened.open());
    REQUIRE(opened.commit(batch_of({}, {{released_key(LaneId{9}), std::to_string(released_before)}})));
  }
  fs::create_directory(store.at("unknown"));
  LaneWriter aside(LaneId{9});
  store.write_beside({aside.put("1"), aside.put("2"), aside.put("3")}, ".sst", store.at("unknown"));
  RocksStore opened(store.options());
  REQUIRE(opened.open());
  const auto found = opened.read({LaneId{9}, Seq{1}, Seq{4}, 1 << 20});
  REQUIRE(found);
  CHECK(found->records.size() == 4 - released_before);
  CHECK_FALSE(fs::exists(store.at("unknown")));
}

TEST_CASE("a newer format is refused by what a table says, before anything is built anew", "[rebuild]") {
  Damaged store;
  {
    RocksStore opened(store.options());
    REQUIRE(opened.open());
    StoreBatch newer = batch_of({}, {{std::string(kFormatKey), std::to_string(kFormatVersion + 1)}});
    newer.anchor = true;  // into tables
    REQUIRE(opened.commit(newer));
  }
  for (const fs::path& log : store.files(".log")) fs::remove(log);
  fs::remove(store.at("FORMAT"));
  store.empty_manifest();
  const auto tables = store.files(".sst");
  RocksStore opened(store.options());
  const auto refused = opened.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::store_refused);
  CHECK(refused.error().detail.find(fmt::format("is in format {}", kFormatVersion + 1)) != std::string::npos);
  CHECK(store.files(".sst") == tables);
  CHECK_FALSE(fs::exists(store.at("rebuild")));
  CHECK_FALSE(store.noted("built anew"));
}

TEST_CASE("a group in parts that was never finished does not come back with a rebuild", "[rebuild]") {
  Damaged store;
  {
    RocksOptions options = store.options();
    options.memtable_bytes = 8 << 20;  // all of it in one log
    RocksStore opened(options);
    REQUIRE(opened.open());
    LaneWriter lane(kMetrics, Seq{kRecords + 1});
    StoreBatch large;
    for (int i = 0; i < 40; ++i) large.records.push_back(lane.put(std::string(14'000, 'y')));
    REQUIRE(opened.commit(large));
  }
  fs::path log;
  for (const fs::path& found : store.files(".log"))
    if (fs::file_size(found) > 0) log = found;
  fs::resize_file(log, fs::file_size(log) - 100'000);
  store.empty_manifest();
  RocksStore opened(store.options());
  const auto image = opened.open();
  REQUIRE(image);
  CHECK(store.noted("built anew"));
  CHECK(image->tails.at(kMetrics).payload() == payload_of(kRecords));
  CHECK(opened.read({kMetrics, Seq{kRecords + 1}, Seq{kRecords + 41}, 4 << 20})->records.empty());
}

}  // namespace tideover::wal
