// Finds records in a table file by their envelopes alone, when the table's own structure is damaged.
//
// Blocking. Works because tables are written uncompressed and with every key whole in front of its record
// (docs/WAL_FORMAT.md section 6); a record is taken only if its checksum holds and its key agrees with it.
#pragma once

#include <functional>
#include <string>

#include "wal/base/result.h"
#include "wal/record.h"

namespace tideover::wal {

class CarefulReader;

// Calls `take` for every intact record in the file's order until it answers false. A table that is not there
// holds none. Needs the memory of one table (tens of MiB at most), and only while it runs. Errors: io_error.
Result<> salvage_table(CarefulReader& reader, const std::string& path,
                       const std::function<bool(LaneId, StoredRecord)>& take);

}  // namespace tideover::wal
