// Lets RocksDB read through the store's CarefulReader.
//
// RocksDB takes a log whose reading fails for one that ends there, flushes the rest and deletes it; a
// manifest or a table whose reading fails keeps it from opening, or from compacting, for ever. Its own answer
// to *changed* bytes is better, and ours begins there: so that is what it gets to see. Internal to
// wal/rocks.
#pragma once

#include <memory>

namespace rocksdb {
class Env;
}

namespace tideover::wal {

class CarefulReader;

// `below` and `reader` outlive what is returned.
std::unique_ptr<rocksdb::Env> guard_reads(rocksdb::Env* below, CarefulReader& reader);

}  // namespace tideover::wal
