// How RocksDB is set up, every choice with its reason. Internal to wal/rocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wal/rocks/lane_marks.h"

namespace rocksdb {
class Cache;
class Env;
class Logger;
struct ColumnFamilyDescriptor;
struct DBOptions;
struct ReadOptions;
}  // namespace rocksdb

namespace tideover::wal {

class CarefulReader;
class TableGuard;

struct RocksSetup {
  std::string directory;
  std::uint64_t memtable_bytes = 0;
  rocksdb::Env* env = nullptr;
  TableGuard* tables = nullptr;               // part of `env`
  CarefulReader* reader = nullptr;            // the same
  std::shared_ptr<rocksdb::Cache> cache;      // blocks, and nothing else, of all families
  std::shared_ptr<const LaneMarks> released;  // what files written from now on may leave out
};

std::shared_ptr<rocksdb::Cache> make_block_cache();

rocksdb::DBOptions database_options(const RocksSetup& setup);

// Of every iterator and look-up.
rocksdb::ReadOptions read_options();

// In this order: RocksDB's default (unused), meta, its mirror, records.
std::vector<rocksdb::ColumnFamilyDescriptor> families(const RocksSetup& setup);

}  // namespace tideover::wal
