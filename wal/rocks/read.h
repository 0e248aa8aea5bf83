// Reading records past damage. Internal to wal/rocks.
#pragma once

#include <map>

#include "wal/base/result.h"
#include "wal/store.h"

namespace tideover::wal {

class CarefulReader;
class RocksHandle;

// Store::read() on an open database.
Result<ReadRange> read_records(const RocksHandle& handle, CarefulReader& reader, const ReadRequest& request);

// The last intact record of every lane. Errors: corrupt when damage hides them; io_error.
Result<std::map<LaneId, StoredRecord>> read_tails(const RocksHandle& handle);

}  // namespace tideover::wal
