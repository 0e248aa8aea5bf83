// The store in production: one RocksDB directory behind the Store port.
//
// What stands beside it in this folder is internal to it, and nothing else knows RocksDB. What is on disk,
// why each option is what it is, and what happens when bytes rot or a sync fails, stands in
// docs/WAL_FORMAT.md with the experiments behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wal/store.h"

namespace rocksdb {
class Env;
}

namespace tideover::wal {

struct RocksOptions {
  std::string directory;
  // Given back to the file system when it is full, so that the store can be opened again and emptied, and a
  // little flows through it meanwhile.
  std::uint64_t ballast_bytes = 64 << 20;
  // Records are collected in memory up to this size before they go to a table file.
  std::uint64_t memtable_bytes = 8 << 20;
  // How long a page that the device refuses is asked again before what stands there is taken for damaged.
  std::chrono::steady_clock::duration read_patience = std::chrono::milliseconds(2500);
  // One sentence for each step that recovery had to take. Called on the write worker.
  std::function<void(const std::string& sentence)> note;
  // Below the store; tests put their faults here. Outlives the store. Null: the operating system.
  rocksdb::Env* env = nullptr;
};

class RocksStore final : public Store {
 public:
  explicit RocksStore(RocksOptions options);
  ~RocksStore() override;  // after both workers have finished

  Result<StoreImage> open() override;
  Result<> commit(const StoreBatch& batch) override;
  Result<ReadRange> read(const ReadRequest& request) override;
  void release(LaneId lane, const Released& released) override;
  StoreUsage usage() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::wal
