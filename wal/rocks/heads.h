// The first record of every lane. Internal to wal/rocks.
#pragma once

#include <map>

#include "wal/base/result.h"
#include "wal/store.h"

namespace tideover::wal {

class CarefulReader;
class RocksHandle;

// The first intact record of every lane that has a last one: a place in the tables for each, unless there is
// damage in front, which is read over. Errors: io_error.
Result<std::map<LaneId, StoredRecord>> read_heads(const RocksHandle& handle, CarefulReader& reader,
                                                  const std::map<LaneId, StoredRecord>& tails);

}  // namespace tideover::wal
