#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>
#include <system_error>

#include "wal/rocks/handle.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/log_salvage.h"
#include "wal/rocks/meta.h"
#include "wal/rocks/record_salvage.h"
#include "wal/rocks/released_marks.h"
#include "wal/rocks/table_guard.h"
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

  // `meta` is what the new database has of it already.
  Absorber(const RocksHandle& handle, MetaImage meta, Records which) : handle_(handle), which_(which) {
    unlogged_.disableWAL = true;  // flushed before a source is let go
    newest_ = std::move(meta.commits);
    marks_ = released_marks(meta.values);
  }

  void entry(const rocksdb::Slice& key, const rocksdb::Slice& value) {
    // Of whatever version: what a newer one wrote is a record, too.
    if (const auto record = parse_record_key(key.ToStringView());
        record && envelope_checks(value.ToStringView())) {
      if (which_ == Records::missing ? released(*record) || present(key) : older(*record, key, value)) return;
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
  // The records of a group that was never finished, and checkpoints that were removed: by the keys.
  rocksdb::Status DeleteCF(std::uint32_t, const rocksdb::Slice& key) override {
    if (parse_record_key(key.ToStringView())) keep(handle_.db().Delete(unlogged_, handle_.records(), key));
    if (!key.starts_with(rocksdb::Slice(kCheckpointPrefix.data(), kCheckpointPrefix.size()))) return status_;
    keep(handle_.db().Delete(unlogged_, handle_.meta(), key));
    keep(handle_.db().Delete(unlogged_, handle_.mirror(), key));
    return status_;
  }

  // Whether all records of a table that holds these and what lies between them were given back.
  bool released(const RecordKey& first, const RecordKey& last) const {
    return first.lane == last.lane && released(last);
  }

  bool ok() const { return status_.ok(); }
  std::uint64_t records() const { return records_; }
  rocksdb::Status flush() {
    for (rocksdb::ColumnFamilyHandle* family : {handle_.records(), handle_.meta(), handle_.mirror()})
      keep(handle_.db().Flush({}, family));
    return status_;
  }

 private:
  bool released(const RecordKey& key) const {
    const auto mark = marks_.find(key.lane);
    return mark != marks_.end() && mark->second.contains(key.seq);
  }
  // A number was given twice when its first record belonged to a group that was never finished. Compactions
  // give tables new numbers, so the record that counts may come first; it arrived later.
  bool older(const RecordKey& record, const rocksdb::Slice& key, const rocksdb::Slice& value) {
    Seq& highest = highest_[record.lane];
    if (highest < record.seq) {
      highest = record.seq;
      return false;
    }
    const auto arrival = [](const rocksdb::Slice& bytes) {
      const auto opened = open_envelope(std::make_shared<std::string>(bytes.ToStringView()));
      return opened ? opened->attributes.arrival_ms : 0;
    };
    rocksdb::PinnableSlice other;
    return look_up(key, other) ? arrival(value) < arrival(other) : !status_.ok();
  }
  bool present(const rocksdb::Slice& key) {
    rocksdb::PinnableSlice value;
    return look_up(key, value) || !status_.ok();
  }
  // False: nothing that reads, or nobody can tell, which ends the absorbing: the disk is away.
  bool look_up(const rocksdb::Slice& key, rocksdb::PinnableSlice& value) {
    const rocksdb::Status status = handle_.db().Get(read_options(), handle_.records(), key, &value);
    if (!status.ok() && !is_damage(status)) keep(status);
    return status.ok();
  }
  void keep(const rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
  }

  const RocksHandle& handle_;
  const Records which_;
  rocksdb::WriteOptions unlogged_;
  std::map<std::string, std::uint64_t> newest_;
  LaneMarks::Snapshot marks_;
  std::map<LaneId, Seq> highest_;  // of all that was put
  rocksdb::Status status_;
  std::uint64_t records_ = 0;
};

// False: the table is damaged, and what could be found in it is absorbed. Errors: io_error: nothing of it is
// to be let go.
Result<bool> absorb_table(const RocksSetup& setup, const std::string& path, Absorber& absorber) {
  rocksdb::Options options(database_options(setup), families(setup)[RocksHandle::kRecords].options);
  rocksdb::SstFileReader reader(options);
  rocksdb::Status status = reader.Open(path);
  if (status.ok()) {
    const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read_options()));
    for (it->SeekToFirst(); it->Valid() && absorber.ok(); it->Next()) absorber.entry(it->key(), it->value());
    status = it->status();
  }
  if (status.ok()) return true;
  if (!is_damage(status)) return rocks_error(status, "read " + path);
  const auto salvaged = salvage_table(*setup.reader, path, [&](LaneId lane, const StoredRecord& record) {
    absorber.entry(record_key(lane, record.seq), *record.bytes);
    return absorber.ok();
  });
  if (!salvaged) return salvaged.error();
  return false;
}

// Most of what a manifest forgets was given back before: a look at both ends of such a table is enough.
bool all_released(const RocksSetup& setup, const std::string& path, const Absorber& absorber) {
  rocksdb::Options options(database_options(setup), families(setup)[RocksHandle::kRecords].options);
  rocksdb::SstFileReader reader(options);
  if (!reader.Open(path).ok()) return false;
  const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read_options()));
  it->SeekToFirst();
  const auto first = it->Valid() ? parse_record_key(it->key().ToStringView()) : std::nullopt;
  it->SeekToLast();
  const auto last = it->Valid() ? parse_record_key(it->key().ToStringView()) : std::nullopt;
  return it->status().ok() && first && last && absorber.released(*first, *last);
}

// As absorb_table().
Result<bool> absorb_log(const RocksSetup& setup, const std::string& path, Absorber& absorber) {
  LogFacts facts;
  const auto findings = look_through_log(*setup.reader, path, facts);
  if (!findings) return findings.error();
  if (findings->damaged) {
    const auto salvaged = salvage_log(*setup.reader, path, setup.directory + "/" + kLostName, facts);
    if (!salvaged) return salvaged.error();
  }
  const auto dropped =
      read_log(*setup.reader, findings->damaged ? clean_log(path) : path, [&](std::string_view record) {
        rocksdb::WriteBatch batch{std::string(record)};
        batch.Iterate(&absorber).PermitUncheckedError();
        return absorber.ok();
      });
  if (!dropped) return dropped.error();
  return true;
}

Result<std::vector<fs::path>> files_of(const fs::path& directory) {
  auto files = list_directory(directory.string());
  if (!files) return files;
  std::erase_if(*files, [](const fs::path& p) { return p.extension() != ".sst" && p.extension() != ".log"; });
  // Tables before logs, old before new: the order in which they were written.
  std::sort(files->begin(), files->end(), [](const fs::path& a, const fs::path& b) {
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
  const auto all = list_directory(setup.directory);
  if (!all) return all.error();
  for (const fs::path& file : *all) {
    const std::string name = file.filename().string();
    if (name != "CURRENT" && !name.starts_with("MANIFEST-")) continue;
    fs::rename(file, lost / file.filename(), error);
    if (error) return system_error(error.value(), "move " + file.string());
  }
  if (auto synced = sync_directory(setup.directory); !synced) return synced;
  const auto files = files_of(directory);
  if (!files) return files.error();
  for (const fs::path& file : *files) {
    fs::remove(clean_log(file.string()), error);  // it is written again where its log is absorbed
    if (error) return system_error(error.value(), "remove " + clean_log(file.string()));
    if (auto moved = move_aside(file, sources); !moved) return moved;
  }
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

  auto meta = read_meta(*handle);
  if (!meta) return meta.error();
  Absorber absorber(*handle, std::move(*meta), Absorber::Records::all);
  const auto files = files_of(sources);
  if (!files) return files.error();
  for (const fs::path& file : *files) {
    const auto intact =
        file.extension() == ".log" ? absorb_log(setup, file, absorber) : absorb_table(setup, file, absorber);
    if (!intact) return intact.error();
    if (const rocksdb::Status status = absorber.flush(); !status.ok())
      return rocks_error(status, "rebuild the store");
    if (!*intact)
      note(fmt::format("{} is damaged; what is intact was taken out, and the file is in {}",
                       file.filename().string(), kLostName));
    if (*intact) {
      fs::remove(file, error);
    } else {
      fs::rename(file, lost / file.filename(), error);
    }
    if (error) return system_error(error.value(), "let go of " + file.string());
    fs::remove(clean_log(file.string()), error);
  }
  note(fmt::format("the new store holds {} records", absorber.records()));
  if (auto synced = sync_directory(sources.string()); !synced) return synced;
  fs::remove(sources, error);
  return sync_directory(setup.directory);
}

// A number can have been used twice, when its first record belonged to a group that was never finished: what
// the database has is the one that counts. Crash in between: the tables that are still there are absorbed
// again.
Result<> absorb_unknown(const RocksSetup& setup, const RocksHandle& handle, const Note& note) {
  const fs::path unknown = fs::path(setup.directory) / kUnknownName;
  std::error_code error;
  if (!fs::exists(unknown, error)) return {};
  auto meta = read_meta(handle);
  if (!meta) return meta.error();
  Absorber absorber(handle, std::move(*meta), Absorber::Records::missing);
  const auto tables = files_of(unknown);
  if (!tables) return tables.error();
  for (const fs::path& table : *tables) {
    if (!all_released(setup, table.string(), absorber)) {
      if (const auto absorbed = absorb_table(setup, table.string(), absorber); !absorbed)
        return absorbed.error();
      if (const rocksdb::Status status = absorber.flush(); !status.ok())
        return rocks_error(status, "take in tables that the manifest does not name");
    }
    fs::remove(table, error);
    if (error) return system_error(error.value(), "let go of " + table.string());
  }
  if (absorber.records() > 0)
    note(fmt::format("{} records were found in tables that the manifest does not name", absorber.records()));
  fs::remove(unknown, error);
  return sync_directory(setup.directory);
}

std::uint32_t format_in_tables(const RocksSetup& setup) {
  std::uint32_t newest = 0;
  for (const fs::path& directory : {fs::path(setup.directory), fs::path(setup.directory) / kSources}) {
    const auto files = files_of(directory);
    if (!files) continue;
    for (const fs::path& file : *files) {
      rocksdb::Options options(database_options(setup), families(setup)[RocksHandle::kMeta].options);
      rocksdb::SstFileReader reader(options);
      if (file.extension() != ".sst" || !reader.Open(file.string()).ok()) continue;
      if (reader.GetTableProperties()->column_family_name == "records") continue;
      const std::unique_ptr<rocksdb::Iterator> it(reader.NewIterator(read_options()));
      it->Seek(rocksdb::Slice(kFormatKey.data(), kFormatKey.size()));
      if (it->Valid() && it->key().ToStringView() == kFormatKey)
        newest = std::max(newest, format_of(it->value().ToStringView()).value_or(0));
    }
  }
  return newest;
}

}  // namespace tideover::wal
