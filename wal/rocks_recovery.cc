#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>
#include <utility>

#include "wal/log_salvage.h"
#include "wal/rocks_handle.h"
#include "wal/rocks_table_guard.h"
#include "wal/store_directory.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestPrefix = "MANIFEST-";

// What of a database the directory shows. CURRENT alone proves nothing: it is a file that can be lost, and
// creating a database beside its tables would delete them.
struct Contents {
  bool empty = true;
  bool has_data = false;  // tables, or logs with something in them
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
    if (extension == ".sst" || (extension == ".log" && entry.file_size(error) > 0)) contents.has_data = true;
  }
  return contents;
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

rocksdb::Status open_checked(const RocksSetup& setup, bool create, std::unique_ptr<RocksHandle>& handle) {
  rocksdb::Status status = open_plainly(setup, create, handle);
  if (status.ok()) status = check_level_zero(*handle);
  if (!status.ok()) handle.reset();
  return status;
}

rocksdb::Status point_current_at(const RocksSetup& setup, const std::string& manifest) {
  const std::string current = setup.directory + "/CURRENT";
  const std::string fresh = setup.directory + "/CURRENT.new";
  rocksdb::Status status = rocksdb::WriteStringToFile(setup.env, manifest + "\n", fresh, true);
  if (status.ok()) status = setup.env->RenameFile(fresh, current);
  return status;
}

// True: some log was damaged, and is replaced by one without the damage.
Result<bool> clean_logs(const RocksSetup& setup, const Note& note) {
  bool any = false;
  std::error_code error;
  std::vector<std::string> logs;
  for (const fs::directory_entry& entry : fs::directory_iterator(setup.directory, error))
    if (entry.path().extension() == ".log") logs.push_back(entry.path().string());
  for (const std::string& log : logs) {
    const auto salvaged = salvage_log(log, setup.directory + "/" + kLostName);
    if (!salvaged) return salvaged.error();
    if (salvaged->dropped_bytes == 0) continue;
    any = true;
    note(fmt::format(
        "{} bytes of the log {} are damaged; its other {} records are kept, and the original is in {}",
        salvaged->dropped_bytes, log, salvaged->kept_records, kLostName));
  }
  return any;
}

// A manifest that has lost its end may not name our families any more. RocksDB would create them anew and
// pass over everything in the logs that belongs to the old ones.
bool families_missing(const RocksSetup& setup) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(database_options(setup), setup.directory, &names).ok()) return false;
  for (const rocksdb::ColumnFamilyDescriptor& family : families(setup))
    if (std::find(names.begin(), names.end(), family.name) == names.end()) return true;
  return false;
}

Result<std::unique_ptr<RocksHandle>> rebuild_and_open(const RocksSetup& setup, const Note& note) {
  if (const Result<> rebuilt = rebuild_rocks(setup, note); !rebuilt) return rebuilt.error();
  std::unique_ptr<RocksHandle> handle;
  const rocksdb::Status status = open_plainly(setup, false, handle);
  if (!status.ok()) return rocks_error(status, "open the rebuilt store");
  return handle;
}

Result<std::unique_ptr<RocksHandle>> open_somehow(const RocksSetup& setup, const Note& note) {
  if (rebuild_unfinished(setup))
    if (const Result<> rebuilt = rebuild_rocks(setup, note); !rebuilt) return rebuilt.error();
  const Contents contents = look_into(setup.directory);
  if (contents.has_data && families_missing(setup)) {
    note("the store is damaged: its manifest has lost its end");
    return rebuild_and_open(setup, note);
  }
  std::unique_ptr<RocksHandle> handle;
  rocksdb::Status status = open_checked(setup, contents.empty, handle);
  if (status.ok()) return handle;
  if (status.IsInvalidArgument() && contents.has_current)  // families that this version does not know
    return fail(Errc::store_refused,
                fmt::format("{} was written by a newer version: {}", setup.directory, status.ToString()));
  if (!is_damage(status) && contents.has_current) return rocks_error(status, "open the store");
  note(fmt::format("the store is damaged and does not open as it is: {}", status.ToString()));

  // From the cheapest cure to the dearest, each tried before the next.
  const auto cleaned = clean_logs(setup, note);
  if (!cleaned) return cleaned.error();
  if (*cleaned && open_checked(setup, false, handle).ok()) return handle;
  if (!contents.newest_manifest.empty() && point_current_at(setup, contents.newest_manifest).ok() &&
      open_checked(setup, false, handle).ok()) {
    note(fmt::format("CURRENT was written anew and names {}", contents.newest_manifest));
    return handle;
  }
  return rebuild_and_open(setup, note);
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
  const std::string words = status.ToString();
  const bool full = status.IsNoSpace() || words.find("Disk quota exceeded") != std::string::npos;
  const Errc code = full ? Errc::disk_full : status.IsCorruption() ? Errc::corrupt : Errc::io_error;
  return fail(code, fmt::format("{}: {}", tried, words));
}

rocksdb::Status open_plainly(const RocksSetup& setup, bool create, std::unique_ptr<RocksHandle>& handle) {
  rocksdb::DBOptions options = database_options(setup);
  options.create_if_missing = create;
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  setup.tables->hold();
  const rocksdb::Status status = rocksdb::DB::Open(options, setup.directory, families(setup), &opened, &db);
  setup.tables->release();
  if (status.ok()) handle = std::make_unique<RocksHandle>(db, std::move(opened));
  return status;
}

Result<std::unique_ptr<RocksHandle>> open_rocks(const RocksSetup& setup, const Note& note) {
  auto handle = open_somehow(setup, note);
  if (!handle) return handle;
  if (const Result<> absorbed = absorb_unknown(setup, **handle, note); !absorbed) return absorbed.error();
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
