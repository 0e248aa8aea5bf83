// Meta values as they stand in their two families, and the choice between two copies. Internal to
// wal/rocks.
//
// Every value is written twice, in files of their own, so that one damaged block never takes the cursors. It
// carries the number of the commit that wrote it, so that an old copy is told from a current one; an empty
// value marks a removed key, so that a removal is newer than what it removes. Checkpoints come and go by the
// hundred thousand, and are gone when they are removed: should damage bring one back, its file is read a
// second time, or is not there any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wal/base/result.h"
#include "wal/base/strong.h"

namespace rocksdb {
class WriteBatch;
}

namespace tideover::wal {

class RocksHandle;

using MetaEntries = std::vector<std::pair<std::string, std::string>>;

struct MetaImage {
  std::map<std::string, std::string> values;     // the store's own keys included, removed ones not
  std::map<std::string, std::uint64_t> commits;  // of every key, removed ones included
  std::uint64_t last_commit = 0;                 // highest number met
  bool meta_damaged = false;                     // a copy could not be read to its end
  bool mirror_damaged = false;
  bool copies_differ = false;
};

void put_meta(rocksdb::WriteBatch& batch, const RocksHandle& handle, std::uint64_t commit,
              const MetaEntries& entries);
// The number in a stored value; nullopt: not a value of ours.
std::optional<std::uint64_t> commit_of(std::string_view stored);
// The format that a stored value of kFormatKey names.
std::optional<std::uint32_t> format_of(std::string_view stored);
// Errors: io_error: the disk is away, and nothing is known of what it holds.
Result<MetaImage> read_meta(const RocksHandle& handle);

// The store's own keys begin with this (or stand in wal_format.h) and are not part of StoreImage::meta.
inline constexpr std::string_view kStorePrefix = "store/";
// Present while a group of several batches is being written: the records that do not count without its end.
inline constexpr std::string_view kUnfinishedKey = "store/unfinished";
// + number of the lane: the record before which all are given back, in decimal.
inline constexpr std::string_view kReleasedPrefix = "store/released/";
std::string released_key(LaneId lane);

}  // namespace tideover::wal
