// Writing one group so that a damaged byte costs little and a crash costs nothing. Internal to
// wal/rocks.
//
// What one log record holds is what one damaged byte takes away, so a large group is written as several log
// records. They are synced before the group's end is written: the disk may keep two unsynced writes in any
// order, and an end without its records would move cursors past what is not there. A small group is one log
// record with one sync.
// Crash before the end is durable: the next open finds kUnfinishedKey and takes the group's records out
// again; nothing of the group counts, and nobody was told that it does.
#pragma once

#include <cstdint>

#include "wal/base/result.h"
#include "wal/store.h"

namespace rocksdb {
class WriteBatch;
}

namespace tideover::wal {

class LogGuard;
class RocksHandle;
struct MetaImage;

class GroupWriter {
 public:
  // `last_commit`: the highest number met in the store's meta.
  GroupWriter(std::uint64_t last_commit, const LogGuard& guard) : guard_(guard), commit_(last_commit) {}

  Result<> write(const RocksHandle& handle, const StoreBatch& group);

  // Durably, that nothing of the lane before `before` is wanted any more. Errors: as write().
  Result<> remember_released(const RocksHandle& handle, LaneId lane, Seq before);

  // What was read, made one again: both copies of meta equal, the format stated, an unfinished group removed.
  Result<> settle(const RocksHandle& handle, MetaImage& meta);

 private:
  Result<> anchor(const RocksHandle& handle);
  Result<> write_batch(const RocksHandle& handle, rocksdb::WriteBatch& batch, bool sync);

  const LogGuard& guard_;
  std::uint64_t commit_;
  // From the first split group on every end says that no group is unfinished: an end that is lost to damage
  // must not take back a group that others were written after.
  bool was_split_ = false;
};

}  // namespace tideover::wal
