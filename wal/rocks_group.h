// Writing one group so that a damaged byte costs little and a crash costs nothing. Internal to
// wal/rocks_*.cc.
//
// What one log record holds is what one damaged byte takes away, so a large group is written as several log
// records and synced once. Meta and the end of the group come last.
// Crash before the end is durable: the next open finds kUnfinishedKey and takes the group's records out
// again; nothing of the group counts, and nobody was told that it does.
#pragma once

#include <cstdint>

#include "wal/base/result.h"
#include "wal/store.h"

namespace tideover::wal {

class RocksHandle;
struct MetaImage;

class GroupWriter {
 public:
  // `last_commit`: the highest number met in the store's meta.
  explicit GroupWriter(std::uint64_t last_commit) : commit_(last_commit) {}

  Result<> write(const RocksHandle& handle, const StoreBatch& group);

  // What was read, made one again: both copies of meta equal, the format stated, an unfinished group removed.
  Result<> settle(const RocksHandle& handle, MetaImage& meta);

 private:
  std::uint64_t commit_;
  // From the first split group on every end says that no group is unfinished: an end that is lost to damage
  // must not take back a group that others were written after.
  bool was_split_ = false;
};

}  // namespace tideover::wal
