#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>
#include <utility>

#include "wal/rocks/handle.h"
#include "wal/rocks/log_mend.h"
#include "wal/rocks/store_format.h"
#include "wal/rocks/table_guard.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

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

Result<Contents> look_into(const std::string& directory) {
  const auto files = list_directory(directory);
  if (!files) return files.error();
  Contents contents;
  std::error_code error;
  for (const fs::path& file : *files) {
    const std::string name = file.filename().string();
    const std::string extension = file.extension().string();
    if (name == "CURRENT") contents.has_current = true;
    const bool manifest = name.starts_with(kManifestPrefix);
    // Numbers have six digits and more: the longer name is the larger number.
    if (manifest &&
        std::pair(name.size(), name) > std::pair(contents.newest_manifest.size(), contents.newest_manifest))
      contents.newest_manifest = name;
    if (manifest || extension == ".sst" || extension == ".log") contents.empty = false;
    if (extension == ".sst" || (extension == ".log" && fs::file_size(file, error) > 0))
      contents.has_data = true;
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
    const std::unique_ptr<rocksdb::Iterator> all(handle.db().NewIterator(read_options(), family));
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

// The names that the manifest gives our families, if it can be read.
struct Families {
  bool known = false;
  bool missing = false;  // one that has lost its end may not name some of ours any more: RocksDB would create
                         // them anew and pass over everything in the logs that belongs to the old ones
  bool foreign = false;  // a newer version's
};

Families look_at_families(const RocksSetup& setup) {
  Families found;
  std::vector<std::string> names;
  found.known = rocksdb::DB::ListColumnFamilies(database_options(setup), setup.directory, &names).ok();
  if (!found.known) return found;
  for (const rocksdb::ColumnFamilyDescriptor& family : families(setup))
    if (std::erase(names, family.name) == 0) found.missing = true;
  found.foreign = !names.empty();
  return found;
}

Result<std::unique_ptr<RocksHandle>> rebuild_and_open(const RocksSetup& setup, const Note& note) {
  if (const std::uint32_t format = format_in_tables(setup); format > kFormatVersion)
    return newer_format(setup.directory, format);
  if (const Result<> rebuilt = rebuild_rocks(setup, note); !rebuilt) return rebuilt.error();
  std::unique_ptr<RocksHandle> handle;
  const rocksdb::Status status = open_plainly(setup, false, handle);
  if (!status.ok()) return rocks_error(status, "open the rebuilt store");
  return handle;
}

// From the cheapest cure to the dearest, each tried before the next.
Result<std::unique_ptr<RocksHandle>> open_somehow(const RocksSetup& setup, const Contents& contents,
                                                  const Note& note) {
  std::unique_ptr<RocksHandle> handle;
  const rocksdb::Status status = open_checked(setup, contents.empty, handle);
  if (status.ok()) return handle;
  if (!is_damage(status) && contents.has_current) return rocks_error(status, "open the store");
  note(fmt::format("the store is damaged and does not open as it is: {}", status.ToString()));
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
  rocksdb::Status status = rocksdb::DB::Open(options, setup.directory, families(setup), &opened, &db);
  if (status.ok()) handle = std::make_unique<RocksHandle>(db, std::move(opened));
  if (status.ok() && setup.tables->failed()) {
    handle.reset();  // while it is held: RocksDB does not mind what it could not delete, and tries again
    status = rocksdb::Status::IOError("a table that the manifest does not name cannot be set aside");
  }
  setup.tables->release();
  return status;
}

Result<OpenedRocks> open_rocks(const RocksSetup& setup, const Note& note, bool anew) {
  const auto contents = look_into(setup.directory);
  if (!contents) return contents.error();
  const auto told = read_format_file(*setup.reader, setup.directory);
  if (!told) return told.error();
  const auto logs = look_through_logs(*setup.reader, setup.directory);
  if (!logs) return logs.error();
  if (const auto format = std::max(told->value_or(0), logs->facts.format); format > kFormatVersion)
    return newer_format(setup.directory, format);
  const Families families = look_at_families(setup);
  if (families.foreign)
    return fail(Errc::store_refused,
                setup.directory + " was written by a newer version: it has more families of keys");

  if (auto mended = mend_logs(*setup.reader, *logs, setup.directory + "/" + kLostName, note); !mended)
    return mended.error();
  const bool cut = contents->has_data && families.known && families.missing;
  if (cut) note("the store is damaged: its manifest has lost its end");
  auto handle = anew || cut || rebuild_unfinished(setup) ? rebuild_and_open(setup, note)
                                                         : open_somehow(setup, *contents, note);
  if (!handle) return handle.error();
  if (const Result<> absorbed = absorb_unknown(setup, **handle, note); !absorbed) return absorbed.error();
  return OpenedRocks{std::move(*handle), logs->lost_at_tail};
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
