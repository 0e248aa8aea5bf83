// A file system below RocksDB that fails on demand, and that forgets what was not synced.
//
// Keeps RocksDB's headers out of the tests that use it. Any thread.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class Env;
}

namespace tideover::wal {

class FaultDisk {
 public:
  FaultDisk();
  ~FaultDisk();  // after every store that uses env()

  rocksdb::Env* env() const;

  // The next sync of a log file answers EIO, once; what was written stays in the file, as in a page cache
  // whose dirty pages were dropped.
  void fail_next_log_sync();
  // Until healed: writes and syncs of any file answer EIO or ENOSPC.
  void fail_writes_with_eio();
  void fail_writes_with_enospc();
  void heal();

  // From here on every write, sync, creation and rename answers EIO: the state of the disk is frozen.
  void freeze();
  // After the store is gone: takes back what was never synced. Files lose their unsynced ends (`torn`: half
  // of it), and creations and renames in a directory that was not synced since did not happen. Then heals.
  void lose_unsynced(bool torn);

  int log_syncs() const;

 private:
  class Files;
  std::shared_ptr<Files> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tideover::wal
