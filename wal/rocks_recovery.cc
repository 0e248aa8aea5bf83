#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>
#include <utility>

#include "wal/record_salvage.h"
#include "wal/rocks_handle.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestPrefix = "MANIFEST-";
constexpr const char* kLost = "lost";  // RepairDB's own name for it

// What of a database the directory shows. CURRENT alone proves nothing: it is a file that can be lost, and
// creating a database beside its tables would delete them.
struct Contents {
  bool empty = true;
  bool has_current = false;
  std::string newest_manifest;
};

Contents look_into(const std::string& directory) {
  Contents contents;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    const std::string extension = entry.path().extension().string();
    if (name == "CURRENT") contents.has_current = true;
    const bool manifest = name.starts_with(kManifestPrefix);
    // Numbers have six digits and more: the longer name is the larger number.
    if (manifest &&
        std::pair(name.size(), name) > std::pair(contents.newest_manifest.size(), contents.newest_manifest))
      contents.newest_manifest = name;
    if (manifest || extension == ".sst" || extension == ".log") contents.empty = false;
  }
  return contents;
}

rocksdb::Status open_status(const RocksSetup& setup, bool create, std::unique_ptr<RocksHandle>& handle) {
  rocksdb::DBOptions options = database_options(setup);
  options.create_if_missing = create;
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  const rocksdb::Status status = rocksdb::DB::Open(options, setup.directory, families(setup), &opened, &db);
  if (status.ok()) handle = std::make_unique<RocksHandle>(db, std::move(opened));
  return status;
}

// Level 0 is read as a whole by every scan, so a table there that cannot even be opened would hide all the
// others. Deeper tables hide nothing but themselves, and reading deals with them.
rocksdb::Status check_level_zero(const RocksHandle& handle) {
  for (rocksdb::ColumnFamilyHandle* family : {handle.meta(), handle.mirror(), handle.records()}) {
    rocksdb::ColumnFamilyMetaData shape;
    handle.db().GetColumnFamilyMetaData(family, &shape);
    if (shape.levels.empty() || shape.levels.front().files.empty()) continue;
    const std::unique_ptr<rocksdb::Iterator> all(handle.db().NewIterator({}, family));
    if (!all->status().ok()) return all->status();
    all->SeekToLast();
    if (!all->status().ok()) return all->status();
  }
  return rocksdb::Status::OK();
}

rocksdb::Status point_current_at(const RocksSetup& setup, const std::string& manifest) {
  const std::string current = setup.directory + "/CURRENT";
  const std::string fresh = setup.directory + "/CURRENT.new";
  rocksdb::Status status = rocksdb::WriteStringToFile(setup.env, manifest + "\n", fresh, true);
  if (status.ok()) status = setup.env->RenameFile(fresh, current);
  return status;
}

// Puts back the records of tables that RepairDB could not use as a whole.
Result<> put_back(const RocksSetup& setup, const Note& note, const std::vector<fs::path>& tables) {
  if (tables.empty()) return {};
  std::unique_ptr<RocksHandle> handle;
  const rocksdb::Status status = open_status(setup, false, handle);
  if (!status.ok()) return rocks_error(status, "open the repaired store");
  for (const fs::path& table : tables) {
    std::uint64_t records = 0;
    rocksdb::Status written;
    salvage_table(table.string(), [&](LaneId lane, StoredRecord record) {
      rocksdb::WriteOptions options;
      options.disableWAL = true;  // flushed below, before anything is answered
      if (written.ok())
        written = handle->db().Put(options, handle->records(), record_key(lane, record.seq), *record.bytes);
      ++records;
      return written.ok();
    });
    if (written.ok()) written = handle->db().Flush({}, handle->records());
    if (!written.ok()) return rocks_error(written, "put back salvaged records");
    note(fmt::format("{} intact records were taken out of the damaged table {}, which stays in {}", records,
                     table.filename().string(), kLost));
  }
  return {};
}

std::vector<fs::path> lost_tables(const std::string& directory) {
  std::vector<fs::path> tables;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(directory) / kLost, error))
    if (entry.path().extension() == ".sst") tables.push_back(entry.path());
  std::sort(tables.begin(), tables.end());
  return tables;
}

}  // namespace

RocksHandle::RocksHandle(rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> families)
    : db_(db), families_(std::move(families)) {}

RocksHandle::~RocksHandle() {
  for (rocksdb::ColumnFamilyHandle* family : families_)
    if (family != nullptr) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

Result<> RocksHandle::renew(Family family, const RocksSetup& setup) {
  const rocksdb::ColumnFamilyDescriptor descriptor = wal::families(setup)[family];
  rocksdb::Status status = db_->DropColumnFamily(families_[family]);
  if (status.ok()) status = db_->DestroyColumnFamilyHandle(std::exchange(families_[family], nullptr));
  if (status.ok()) status = db_->CreateColumnFamily(descriptor.options, descriptor.name, &families_[family]);
  if (!status.ok()) return rocks_error(status, "renew the family " + descriptor.name);
  return {};
}

bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsNotFound() || status.IsPathNotFound();
}

Error rocks_error(const rocksdb::Status& status, std::string_view tried) {
  // RocksDB has a code for ENOSPC and only the system's words for EDQUOT.
  const bool full = status.IsNoSpace() || status.ToString().find("Disk quota exceeded") != std::string::npos;
  return fail(full ? Errc::disk_full : Errc::io_error, fmt::format("{}: {}", tried, status.ToString()));
}

Result<> repair_rocks(const RocksSetup& setup, const Note& note) {
  note("the store's manifest is rebuilt from its tables and logs; this reads all of them once");
  const std::vector<fs::path> before = lost_tables(setup.directory);
  rocksdb::DBOptions options = database_options(setup);
  options.create_if_missing = true;
  const rocksdb::Status status = rocksdb::RepairDB(setup.directory, options, families(setup));
  if (!status.ok()) return rocks_error(status, "repair the store");
  std::vector<fs::path> fresh;
  for (const fs::path& table : lost_tables(setup.directory))
    if (std::find(before.begin(), before.end(), table) == before.end()) fresh.push_back(table);
  return put_back(setup, note, fresh);
}

Result<std::unique_ptr<RocksHandle>> open_rocks(const RocksSetup& setup, const Note& note) {
  const Contents contents = look_into(setup.directory);
  std::unique_ptr<RocksHandle> handle;
  rocksdb::Status status = open_status(setup, contents.empty, handle);
  if (status.ok()) status = check_level_zero(*handle);
  if (status.ok()) return handle;
  handle.reset();
  if (status.IsInvalidArgument() && contents.has_current)  // families that this version does not know
    return fail(Errc::store_refused,
                fmt::format("{} was written by a newer version: {}", setup.directory, status.ToString()));
  if (!is_damage(status) && contents.has_current) return rocks_error(status, "open the store");
  note(fmt::format("the store is damaged and does not open as it is: {}", status.ToString()));

  if (!contents.newest_manifest.empty()) {
    if (point_current_at(setup, contents.newest_manifest).ok()) status = open_status(setup, false, handle);
    if (status.ok()) status = check_level_zero(*handle);
    if (status.ok()) {
      note(fmt::format("CURRENT was written anew and names {}", contents.newest_manifest));
      return handle;
    }
    handle.reset();
  }
  if (const Result<> repaired = repair_rocks(setup, note); !repaired) return repaired.error();
  status = open_status(setup, false, handle);
  if (!status.ok()) return rocks_error(status, "open the repaired store");
  note("the store is open again after its repair");
  return handle;
}

Result<std::unique_ptr<RocksHandle>> open_rocks_read_only(const RocksSetup& setup) {
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(database_options(setup), setup.directory, families(setup), &opened, &db);
  if (!status.ok()) return rocks_error(status, "open the store for reading only");
  return std::make_unique<RocksHandle>(db, std::move(opened));
}

}  // namespace tideover::wal
