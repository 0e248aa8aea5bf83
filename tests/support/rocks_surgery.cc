#include "tests/support/rocks_surgery.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <rocksdb/db.h>
#include <vector>

#include "wal/base/invariant.h"

namespace tideover::wal {
namespace {

struct Opened {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;

  Opened(const std::string& directory, bool read_only) {
    std::vector<std::string> names;
    check(rocksdb::DB::ListColumnFamilies({}, directory, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string& name : names) descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions{});
    rocksdb::DB* opened = nullptr;
    check(read_only
              ? rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions{}, directory, descriptors, &families, &opened)
              : rocksdb::DB::Open(rocksdb::DBOptions{}, directory, descriptors, &families, &opened));
    db.reset(opened);
  }
  ~Opened() {
    for (rocksdb::ColumnFamilyHandle* family : families)
      db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }

  static void check(const rocksdb::Status& status) { invariant(status.ok(), status.ToString()); }
};

}  // namespace

std::string format_of(const std::string& directory) {
  Opened store(directory, true);
  for (rocksdb::ColumnFamilyHandle* family : store.families) {
    if (family->GetName() != "meta") continue;
    std::string value;
    Opened::check(store.db->Get({}, family, "format", &value));
    return value.substr(sizeof(std::uint64_t));  // behind the number of its commit
  }
  return {};
}

std::vector<std::string> deep_tables(const std::string& directory) {
  Opened store(directory, true);
  std::vector<std::string> tables;
  for (rocksdb::ColumnFamilyHandle* family : store.families) {
    if (family->GetName() != "records") continue;
    rocksdb::ColumnFamilyMetaData shape;
    store.db->GetColumnFamilyMetaData(family, &shape);
    for (const rocksdb::LevelMetaData& level : shape.levels)
      for (const rocksdb::SstFileMetaData& table : level.files)
        if (level.level > 0) tables.push_back(table.db_path + table.name);
  }
  return tables;
}

void compact_oldest_table(const std::string& directory) {
  Opened store(directory, false);
  for (rocksdb::ColumnFamilyHandle* family : store.families) {
    if (family->GetName() != "records") continue;
    rocksdb::ColumnFamilyMetaData shape;
    store.db->GetColumnFamilyMetaData(family, &shape);
    Opened::check(store.db->CompactFiles({}, family, {shape.levels.front().files.back().name}, 1));
  }
}

void forget_meta(const std::string& directory) {
  Opened store(directory, false);
  for (rocksdb::ColumnFamilyHandle* family : store.families) {
    if (family->GetName() != "meta" && family->GetName() != "mirror") continue;
    Opened::check(store.db->DropColumnFamily(family));
    rocksdb::ColumnFamilyHandle* fresh = nullptr;
    Opened::check(store.db->CreateColumnFamily({}, family->GetName(), &fresh));
    Opened::check(store.db->DestroyColumnFamilyHandle(fresh));
  }
}

int damage_tables(const std::string& directory, const std::string& text) {
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".sst") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    bool any = false;
    for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
      bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
      any = true;
    }
    if (!any) continue;
    std::ofstream(entry.path(), std::ios::binary) << bytes;
    ++damaged;
  }
  return damaged;
}

}  // namespace tideover::wal
