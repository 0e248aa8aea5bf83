// An open RocksDB with its families. Internal to wal/rocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wal/base/result.h"
#include "wal/rocks/options.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Status;
}  // namespace rocksdb

namespace tideover::wal {

class RocksHandle {
 public:
  // `families` in the order of families(), all owned from here on.
  RocksHandle(rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> families);
  ~RocksHandle();  // closes; nothing that was committed depends on it
  RocksHandle(const RocksHandle&) = delete;
  RocksHandle& operator=(const RocksHandle&) = delete;

  // Places in families().
  enum Family : std::size_t { kUnused, kMeta, kMirror, kRecords };

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* meta() const { return families_[kMeta]; }
  rocksdb::ColumnFamilyHandle* mirror() const { return families_[kMirror]; }
  rocksdb::ColumnFamilyHandle* records() const { return families_[kRecords]; }

  // Drops a family with all its files and creates it again, empty.
  Result<> renew(Family family, const RocksSetup& setup);

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

using Note = std::function<void(const std::string& sentence)>;

struct OpenedRocks {
  std::unique_ptr<RocksHandle> handle;
  std::uint64_t lost_at_tail = 0;  // records of damaged groups that nothing was written after
};

// Opens the directory, creating the database in an empty one; `anew`: after rebuilding it. Nothing is touched
// before its format is known, and no log is given to RocksDB before every byte of it was read here. Damage is
// worked around step by step, each step noted; nothing is ever wiped: files that cannot be used are moved to
// `lost/`. Errors: store_refused, disk_full, io_error.
Result<OpenedRocks> open_rocks(const RocksSetup& setup, const Note& note, bool anew);

// Builds the database anew out of its own tables and logs, for damage that nothing cheaper gets around.
// Copies the backlog once, table by table, so that it needs room for one table and no more. A crash in
// between is gone on from by the next open_rocks(). Errors: disk_full, io_error.
Result<> rebuild_rocks(const RocksSetup& setup, const Note& note);
bool rebuild_unfinished(const RocksSetup& setup);

// The newest format that any table's meta names; 0: none does. Reads all tables of meta.
std::uint32_t format_in_tables(const RocksSetup& setup);

// Puts back what tables hold that the manifest did not name, the database does not have, and some cursor may
// still want. Nothing to do, as a rule; needs room for one table. Errors: disk_full, io_error.
Result<> absorb_unknown(const RocksSetup& setup, const RocksHandle& handle, const Note& note);

// One attempt, without any cure.
rocksdb::Status open_plainly(const RocksSetup& setup, bool create, std::unique_ptr<RocksHandle>& handle);

// Serves what is stored while nothing can be written: needs no space and changes no file.
Result<std::unique_ptr<RocksHandle>> open_rocks_read_only(const RocksSetup& setup);

// Files that could not be used are kept here.
inline constexpr const char* kLostName = "lost";

// Damaged bytes, or files that belong to the database and are not there.
bool is_damage(const rocksdb::Status& status);
// disk_full, corrupt or io_error.
Error rocks_error(const rocksdb::Status& status, std::string_view tried);

}  // namespace tideover::wal
