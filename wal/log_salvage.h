// Rewrites RocksDB's log files without their damaged records.
//
// RocksDB 7.8 skips damaged log records (kSkipAnyCorruptedRecords), but when a record that spans blocks is
// damaged it carries the checksum of the broken part into the next one, takes that for damaged memory, and
// does not open at all (facebook/rocksdb issue 15007). So the log is read here, by its documented format.
// Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::wal {

struct LogSalvage {
  std::uint64_t kept_records = 0;
  std::uint64_t dropped_bytes = 0;  // 0: nothing was damaged, and the file is as it was
};

// Replaces `path` in one step; the original is kept as `lost_directory`/<name>. A torn tail is not damage.
// Errors: disk_full, io_error.
Result<LogSalvage> salvage_log(const std::string& path, const std::string& lost_directory);

// Calls `take` for every intact record of a log, in order, until it answers false. Returns the damaged bytes.
Result<std::uint64_t> read_log(const std::string& path,
                               const std::function<bool(std::string_view record)>& take);

}  // namespace tideover::wal
