// The stores that the contract suite holds to the same promises, each with its way to lose power.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/support/mem_store.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {

class MemDisk {
 public:
  Store& store() { return store_; }
  void lose_power() { store_.crash(); }
  // With all that stands nowhere else.
  void lose_logs() {
    for (std::uint64_t commit = 1; commit <= store_.commits(); ++commit) store_.lose_group(commit);
    lose_power();
  }
  std::uint64_t total_bytes() { return store_.usage().total_bytes; }

 private:
  MemStore store_;
};

class RocksDisk {
 public:
  RocksDisk() { lose_power(); }

  Store& store() { return *store_; }
  RocksOptions& options() { return options_; }  // for the next store
  std::string path(const std::string& name = "") const { return options_.directory + "/" + name; }
  const std::string& directory() const { return options_.directory; }
  // Nothing is flushed on the way down, so that the next open recovers from the log.
  void lose_power() {
    store_.reset();
    store_ = std::make_unique<RocksStore>(options_);
  }
  void close() { store_.reset(); }
  void lose_logs() {
    close();
    for (const auto& entry : std::filesystem::directory_iterator(options_.directory))
      if (entry.path().extension() == ".log") std::filesystem::resize_file(entry.path(), 0);
    lose_power();
  }
  std::uint64_t total_bytes() const { return std::filesystem::space(options_.directory).capacity; }

 private:
  TempDirectory root_;
  RocksOptions options_{.directory = root_ / "store", .ballast_bytes = 0, .note = {}};
  std::unique_ptr<RocksStore> store_;
};

}  // namespace tideover::wal
