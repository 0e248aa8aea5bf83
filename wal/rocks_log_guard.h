// Learns of every failed sync of a log, and keeps RocksDB from acting on it.
//
// RocksDB's flush thread syncs a log that is full once more. When a sync of that file has failed before, the
// packaged RocksDB 7.8, built with assertions, ends the process there. So a failed sync is told to us alone,
// and we do what is right after one: nothing is acknowledged until the store was opened again, into new
// files.
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
