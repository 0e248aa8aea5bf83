#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <system_error>
#include <tuple>

#include "wal/rocks/absorber.h"
#include "wal/rocks/handle.h"
#include "wal/rocks/log_file.h"
#include "wal/rocks/meta.h"
#include "wal/rocks/table_guard.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSources = "rebuild";
constexpr std::uint64_t kNumberOfNewer = 1'000'000'000;  // more than a database ever reaches

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

// False: the file is damaged, and to be kept. The original of a damaged log is kept already.
Result<bool> absorb(Absorber& absorber, const fs::path& file) {
  if (file.extension() == ".sst") return absorber.table(file);
  if (auto absorbed = absorber.log(file); !absorbed) return absorbed.error();
  return true;
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
  Absorber absorber(setup, *handle, std::move(*meta), Absorber::Records::all);
  const auto files = files_of(sources);
  if (!files) return files.error();
  for (const fs::path& file : *files) {
    const auto intact = absorb(absorber, file);
    if (!intact) return intact.error();
    if (auto flushed = absorber.flush("rebuild the store"); !flushed) return flushed;
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
  Absorber absorber(setup, handle, std::move(*meta), Absorber::Records::missing);
  const auto tables = files_of(unknown);
  if (!tables) return tables.error();
  for (const fs::path& table : *tables) {
    if (!absorber.all_released(table)) {
      if (const auto absorbed = absorber.table(table); !absorbed) return absorbed.error();
      if (auto flushed = absorber.flush("take in tables that the manifest does not name"); !flushed)
        return flushed;
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
