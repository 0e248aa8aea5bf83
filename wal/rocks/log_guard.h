// Learns of every sync and every read of a log that failed, and keeps RocksDB from acting on it.
//
// RocksDB's flush thread syncs a log that is full once more. When a sync of that file has failed before, the
// packaged RocksDB 7.8, built with assertions, ends the process there. So a failed sync is told to us alone,
// and we do what is right after one: nothing is acknowledged until the store was opened again, into new
// files.
//
// A log that is replayed past damage ends for RocksDB where a read of it fails, and is deleted with all that
// stands behind. So after such a failure no new file can be written, without which the store does not open.
#pragma once

#include <memory>
#include <optional>

#include "wal/base/result.h"

namespace rocksdb {
class Env;
}

namespace tideover::wal {

class LogGuard {
 public:
  explicit LogGuard(rocksdb::Env* below);  // outlives the guard
  ~LogGuard();                             // after every database that uses env()

  rocksdb::Env* env() const { return env_.get(); }

  // The first failure since reset(). Any thread.
  std::optional<Error> failure() const;
  void reset();  // while no database is open

 private:
  class Files;
  std::shared_ptr<Files> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tideover::wal
