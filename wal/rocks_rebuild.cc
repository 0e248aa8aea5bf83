#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>
#include <system_error>

#include "wal/log_salvage.h"
#include "wal/record_salvage.h"
#include "wal/rocks_handle.h"
#include "wal/rocks_meta.h"
#include "wal/rocks_table_guard.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSources = "rebuild";
constexpr std::uint64_t kNumberOfNewer = 1'000'000'000;  // more than a database ever reaches

// Puts what the old files say into the new database. What an entry is follows from the entry itself: records
// have an envelope, everything else is meta with the number of its commit, of which the highest counts.
class Absorber final : public rocksdb::WriteBatch::Handler {
 public:
  enum class Records : std::uint8_t { all, missing };  // which of a source's are put

  Absorber(const RocksHandle& handle, Records which) : handle_(handle), which_(which) {
    unlogged_.disableWAL = true;  // flushed before a source is let go
    newest_ = read_meta(handle).commits;
  }

  void entry(const rocksdb::Slice& key, const rocksdb::Slice& value) {
    if (parse_record_key(key.ToStringView()) &&
        open_envelope(std::make_shared<std::string>(value.data(), value.size()))) {
      if (which_ == Records::missing && present(key)) return;
      keep(handle_.db().Put(unlogged_, handle_.records(), key, value));
      ++records_;
      return;
    }
    const auto commit = commit_of(value.ToStringView());
    if (!commit) return;
    const auto [known, fresh] = newest_.try_emplace(key.ToString(), *commit);
    if (!fresh && *commit < known->second) return;
    // A group that is written in parts says that it is unfinished and that it is not under the same number.
    if (!fresh && *commit == known->second && value.size() > sizeof *commit) return;
    known->second = *commit;
    keep(handle_.db().Put(unlogged_, handle_.meta(), key, value));
    keep(handle_.db().Put(unlogged_, handle_.mirror(), key, value));
  }

  rocksdb::Status PutCF(std::uint32_t, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    entry(key, value);
    return status_;
  }
  // Only the records of a group that was never finished are ever deleted.
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    keep(handle_.db().Delete(unlogged_, handle_.records(), key));
    return status_;
  }

  bool ok() const { return status_.ok(); }
  std::uint64_t records() const { return records_; }
  rocksdb::Status flush() {
    for (rocksdb::ColumnFamilyHandle* family : {handle_.records(), handle_.meta(), handle_.mirror()})
      keep(handle_.db().Flush({}, family));
    return status_;
  }

 private:
  bool present(const rocksdb::Slice& key) const {
    rocksdb::PinnableSlice value;
    return handle_.db().Get({}, handle_.records(), key, &value).ok();
  }
  void keep(const rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
  }

  const RocksHandle& handle_;
  const Records which_;
  rocksdb::WriteOptions unlogged_;
  std::map<std::string, std::uint64_t> newest_;
  rocksdb::Status status_;
  std::uint64_t records_ = 0;
};

// False: the table is damaged, and what could be found in it is absorbed.
bool absorb_table(const RocksSetup& setup, const std::string& path, Absorber& absorber) {
  rocksdb::Options options(database_options(setup), families(setup)[RocksHandle::kRecords].options);
  rocksdb::SstFileReader reader(options);
  bool intact = reader.Open(path).ok();
  if (intact) {
    const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator({}));
    for (it->SeekToFirst(); it->Valid() && absorber.ok(); it->Next()) absorber.entry(it->key(), it->value());
    intact = it->status().ok();
  }
  if (intact) return true;
  salvage_table(path, [&](LaneId lane, const StoredRecord& record) {
    absorber.entry(record_key(lane, record.seq), *record.bytes);
    return absorber.ok();
  });
  return false;
}

bool absorb_log(const std::string& path, Absorber& absorber) {
  const auto damaged = read_log(path, [&](std::string_view record) {
    rocksdb::WriteBatch batch{std::string(record)};
    batch.Iterate(&absorber).PermitUncheckedError();
    return absorber.ok();
  });
  return damaged && *damaged == 0;
}

std::vector<fs::path> files_of(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
    if (entry.path().extension() == ".sst" || entry.path().extension() == ".log")
      files.push_back(entry.path());
  // Tables before logs, old before new: the order in which they were written.
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    const auto rank = [](const fs::path& p) {
      return std::tuple(p.extension() == ".log", p.filename().string().size(), p.filename().string());
    };
    return rank(a) < rank(b);
  });
  return files;
}

// Moves a file without ever replacing one: a database that died young shares its files' numbers with the one
// before it. The newer file gets the larger number.
Result<> move_aside(const fs::path& file, const fs::path& directory) {
  std::error_code error;
  fs::path target = directory / file.filename();
  for (std::uint64_t number = kNumberOfNewer; fs::exists(target, error); ++number)
    target = directory / fmt::format("{}{}", number, file.extension().string());
  fs::rename(file, target, error);
  if (error) return system_error(error.value(), "move " + file.string());
  return {};
}

// The old database's files leave its place. What leads to them goes first, so that no half of it is ever
// taken for a database; and all of it is durable before there is a new one, which deletes what it does not
// know.
Result<> set_aside(const RocksSetup& setup, const fs::path& sources) {
  std::error_code error;
  const fs::path directory = setup.directory;
  const fs::path lost = directory / kLostName;
  fs::create_directory(sources, error);
  fs::create_directory(lost, error);
  if (auto synced = sync_directory(setup.directory); !synced) return synced;
  std::vector<fs::path> leading;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name == "CURRENT" || name.starts_with("MANIFEST-")) leading.push_back(entry.path());
  }
  for (const fs::path& file : leading) {
    fs::rename(file, lost / file.filename(), error);
    if (error) return system_error(error.value(), "move " + file.string());
  }
  if (auto synced = sync_directory(setup.directory); !synced) return synced;
  for (const fs::path& file : files_of(directory))
    if (auto moved = move_aside(file, sources); !moved) return moved;
  if (auto synced = sync_directory(sources.string()); !synced) return synced;
  return sync_directory(setup.directory);
}

}  // namespace

bool rebuild_unfinished(const RocksSetup& setup) {
  std::error_code error;
  return fs::exists(fs::path(setup.directory) / kSources, error);
}

// Crash while files are set aside: there is no CURRENT, and the rest follows. Crash while the new database is
// created, or damage to it: its files are set aside as well. Crash while files are absorbed: what was
// absorbed is synced in the new database before its source is removed, and is absorbed again if the removal
// was not durable. Crash at the end: the sources are gone for good before anything is written that they could
// undo.
Result<> rebuild_rocks(const RocksSetup& setup, const Note& note) {
  const fs::path sources = fs::path(setup.directory) / kSources;
  const fs::path lost = fs::path(setup.directory) / kLostName;
  std::error_code error;
  note("the store is built anew from its tables and logs; this copies the backlog once");
  std::unique_ptr<RocksHandle> handle;
  bool aside = false;
  if (rebuild_unfinished(setup)) {
    const rocksdb::Status status = open_plainly(setup, false, handle);
    aside = status.ok();
    const bool created = fs::exists(fs::path(setup.directory) / "CURRENT", error);
    if (!status.ok() && created && !is_damage(status))
      return rocks_error(status, "go on with the rebuilding");
  }
  if (!aside)
    if (auto moved = set_aside(setup, sources); !moved) return moved;
  if (handle == nullptr)
    if (const rocksdb::Status status = open_plainly(setup, true, handle); !status.ok())
      return rocks_error(status, "create the new store");

  Absorber absorber(*handle, Absorber::Records::all);
  for (const fs::path& file : files_of(sources)) {
    const bool log = file.extension() == ".log";
    const bool intact = log ? absorb_log(file, absorber) : absorb_table(setup, file, absorber);
    if (const rocksdb::Status status = absorber.flush(); !status.ok())
      return rocks_error(status, "rebuild the store");
    if (!intact)
      note(fmt::format("{} is damaged; what is intact was taken out, and the file is in {}",
                       file.filename().string(), kLostName));
    if (intact) {
      fs::remove(file, error);
    } else {
      fs::rename(file, lost / file.filename(), error);
    }
    if (error) return system_error(error.value(), "let go of " + file.string());
  }
  note(fmt::format("the new store holds {} records", absorber.records()));
  if (auto synced = sync_directory(sources.string()); !synced) return synced;
  fs::remove(sources, error);
  return sync_directory(setup.directory);
}

// A number can have been used twice, when its first record belonged to a group that was never finished: what
// the database has is the one that counts. Crash in between: the tables are still there, and are absorbed
// again.
Result<> absorb_unknown(const RocksSetup& setup, const RocksHandle& handle, const Note& note) {
  const fs::path unknown = fs::path(setup.directory) / kUnknownName;
  std::error_code error;
  if (!fs::exists(unknown, error)) return {};
  Absorber absorber(handle, Absorber::Records::missing);
  const std::vector<fs::path> tables = files_of(unknown);
  for (const fs::path& table : tables) absorb_table(setup, table.string(), absorber);
  if (const rocksdb::Status status = absorber.flush(); !status.ok())
    return rocks_error(status, "take in tables that the manifest does not name");
  if (absorber.records() > 0)
    note(fmt::format("{} records were found in tables that the manifest does not name", absorber.records()));
  for (const fs::path& table : tables) fs::remove(table, error);
  fs::remove(unknown, error);
  return sync_directory(setup.directory);
}

}  // namespace tideover::wal
