// What was given back stays gone: released records in tables that a power cut brings back, and checkpoints
// that were removed.
#include <filesystem>
#include <fmt/format.h>
#include <rocksdb/db.h>

#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "wal/queue_state.h"
#include "wal/store_directory.h"

namespace tideover::wal {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

RocksOptions options(const std::string& directory, std::vector<std::string>* notes = nullptr) {
  RocksOptions result{.directory = directory, .ballast_bytes = 0, .note = {}};
  if (notes != nullptr) result.note = [notes](const std::string& note) { notes->push_back(note); };
  return result;
}

std::uint64_t bytes_of(const std::string& directory, const char* kind) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    std::error_code gone;  // a compaction removes tables meanwhile
    const std::uintmax_t size = entry.path().extension() == kind ? entry.file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

std::uint64_t table_bytes(const std::string& directory) { return bytes_of(directory, ".sst"); }

// Hard links to all tables, as the directory shows them again when their removal was not durable.
class Undead {
 public:
  Undead(const std::string& directory, std::string keep) : directory_(directory), keep_(std::move(keep)) {
    fs::create_directory(keep_);
    std::error_code gone;  // a compaction removes tables meanwhile; what was in them is in others
    for (const auto& entry : fs::directory_iterator(directory_))
      if (entry.path().extension() == ".sst")
        fs::create_hard_link(entry.path(), fs::path(keep_) / entry.path().filename(), gone);
  }
  void rise() const {
    for (const auto& entry : fs::directory_iterator(keep_)) {
      const fs::path table = fs::path(directory_) / entry.path().filename();
      if (!fs::exists(table)) fs::create_hard_link(entry.path(), table);
    }
    fs::remove_all(keep_);
  }

 private:
  const std::string directory_;
  const std::string keep_;
};

// In both copies, removals that are kept as values included.
std::uint64_t meta_keys(const std::string& directory) {
  std::vector<std::string> names;
  REQUIRE(rocksdb::DB::ListColumnFamilies({}, directory, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  REQUIRE(rocksdb::DB::OpenForReadOnly({}, directory, families, &handles, &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::uint64_t keys = 0;
  for (rocksdb::ColumnFamilyHandle* family : handles) {
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, family));
    for (it->SeekToFirst(); it->Valid(); it->Next()) ++keys;
    delete family;
  }
  return keys;
}

void write_backlog(Store& store, LaneWriter& lane, std::uint64_t bytes) {
  for (std::uint64_t written = 0; written < bytes; written += 8 * 14'000) {
    StoreBatch batch;
    for (int i = 0; i < 8; ++i) batch.records.push_back(lane.put(std::string(14'000, 'x')));
    batch.meta = {{"commit", std::to_string(lane.tail().value)}};
    REQUIRE(store.commit(batch));
  }
}

}  // namespace

TEST_CASE("tables that were dropped and come back with the power are let go", "[crash]") {
  const bool by_cursor =
      GENERATE(false, true);  // who knows: the cursor's place, or the store that dropped them
  TempDirectory root;
  const std::string directory = root / "store";
  const LaneId id = lane_id("metrics");
  LaneWriter lane(id);
  std::optional<Undead> undead;
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    write_backlog(store, lane, 60 * kMiB);
    undead.emplace(directory, root / "keep");
    if (by_cursor) {
      const std::string at = encode(beginning_at(next(lane.tail()), {}));
      REQUIRE(store.commit(batch_of({}, {{cursor_key("metrics", "thanos"), at}, {"commit", "last"}})));
    } else {
      store.release(id, lane.tail());
    }
  }
  const std::uint64_t left = table_bytes(directory), log = bytes_of(directory, ".log");
  undead->rise();
  REQUIRE(table_bytes(directory) > 40 * kMiB);
  std::vector<std::string> notes;
  RocksStore store(options(directory, &notes));
  const auto image = store.open();
  REQUIRE(image);
  if (!by_cursor) CHECK(left < 30 * kMiB);            // otherwise none was dropped, and none came back
  CHECK(table_bytes(directory) < left + log + kMiB);  // the log is in tables now
  CHECK(notes.empty());
  CHECK(image->tails.at(id).seq == lane.tail());  // the last record stays, as a witness
}

TEST_CASE("tables that were dropped of one lane give another lane's records back", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  LaneWriter gone(LaneId{1}), wanted(LaneId{2});
  std::optional<Undead> undead;
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    for (int i = 0; i < 1200; ++i)
      REQUIRE(store.commit(
          batch_of({gone.put(std::string(14'000, 'x')), wanted.put("wanted")}, {{"commit", "1"}})));
    undead.emplace(directory, root / "keep");
    store.release(LaneId{1}, gone.tail());
  }
  undead->rise();
  // All that the manifest knew of the tables is lost as well.
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with("MANIFEST-")) fs::resize_file(entry.path(), 0);
  RocksStore store(options(directory));
  REQUIRE(store.open());
  std::uint64_t found = 0;
  for (Seq from{1}; from <= wanted.tail();) {
    const auto range = store.read({LaneId{2}, from, next(wanted.tail()), kMiB});
    REQUIRE(range);
    found += range->records.size();
    from = range->next;
  }
  CHECK(found == wanted.tail().value);
}

TEST_CASE("checkpoints that were removed cost nothing at the next opening", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  constexpr int kFiles = 40'000, kAtOnce = 500;
  {
    RocksStore store(options(directory));
    REQUIRE(store.open());
    for (int first = 0; first < kFiles; first += kAtOnce) {
      StoreBatch here, gone;
      for (int i = first; i < first + kAtOnce; ++i) {
        const std::string key = fmt::format("check/var/log/pods/default_web-{:08x}/app/0.log", i);
        here.meta.emplace_back(key, "a position");
        gone.meta.emplace_back(key, "");
      }
      REQUIRE(store.commit(here));
      REQUIRE(store.commit(gone));
    }
    REQUIRE(store.commit(batch_of({}, {{"check/kept", "a position"}})));
  }
  for (int life = 0; life < 2; ++life) {
    RocksStore store(options(directory));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->meta == std::map<std::string, std::string>{{"check/kept", "a position"}});
  }
  CHECK(meta_keys(directory) < 10);
}

}  // namespace tideover::wal
