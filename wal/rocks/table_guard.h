// Keeps RocksDB from deleting, or writing over, tables that its manifest does not name.
//
// A crash leaves such tables behind: outputs whose entry was not written, inputs that were not removed yet.
// They hold nothing of their own, and RocksDB deletes them when it opens. But a manifest that has lost its
// end forgets tables as well, and those hold the backlog. So while a database is opened they are moved to
// `unknown/` instead; absorb_unknown() puts back what is found nowhere else. One that cannot be moved stays,
// and the database must not stay open: it would come back for it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace rocksdb {
class Env;
}

namespace tideover::wal {

inline constexpr const char* kUnknownName = "unknown";

class TableGuard {
 public:
  explicit TableGuard(rocksdb::Env* below);  // outlives the guard
  ~TableGuard();                             // after every database that uses env()

  rocksdb::Env* env() const { return env_.get(); }

  // From here to release(): while a database is being opened, by one thread.
  void hold();
  bool failed() const;  // a table could not be moved since hold()
  void release();

 private:
  class Files;
  std::shared_ptr<Files> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tideover::wal
