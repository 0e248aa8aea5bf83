// Looks through RocksDB's log files before RocksDB does, and writes anew the ones that are damaged.
//
// RocksDB 7.8 skips damaged log records (kSkipAnyCorruptedRecords) with all that stands behind them in their
// block; when a record that spans blocks is damaged it carries the checksum of the broken part into the next
// one, takes that for damaged memory, and does not open at all (facebook/rocksdb issue 15007). And once it
// has opened, the log is gone. So each log is read here first, by its documented format: a log record is a
// group or a part of one, and of a damaged one the records that are intact are kept. Blocking.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "wal/base/result.h"

namespace tideover::wal {

class CarefulReader;

// What the groups in a directory's logs say of the store: gathered from the oldest log to the newest.
struct LogFacts {
  std::set<std::uint32_t> meta_families;  // RocksDB's numbers of the families that hold meta
  std::uint64_t last_commit = 0;
  std::uint32_t format = 0;         // the newest that a group names; 0: none does
  std::uint64_t next_sequence = 0;  // RocksDB's, behind the last intact group; 0: there was none
};

struct LogFindings {
  // Before its end, or at its end after that was written whole; or some of it cannot be read.
  bool damaged = false;
  std::uint64_t lost_at_tail = 0;  // records of ours that nothing written after them accounts for
};

// Errors: io_error.
Result<LogFindings> look_through_log(CarefulReader& reader, const std::string& path, LogFacts& facts);

struct LogSalvage {
  std::uint64_t kept_groups = 0;      // log records that were intact
  std::uint64_t rescued_records = 0;  // records of ours out of those that were not
  std::uint64_t dropped_bytes = 0;
};

// Replaces `path` in one step; the original is kept as `lost_directory`/<name>. What was written whole
// counts, although its end may be what is damaged: a group in parts that is known to have been written is not
// unfinished any more. `sequence`: next_sequence of the logs before this one, for what nothing intact in it
// gives a number: RocksDB takes a number below those that it has for a fault of its memory, and ends the
// process. Errors: disk_full, io_error.
Result<LogSalvage> salvage_log(CarefulReader& reader, const std::string& path,
                               const std::string& lost_directory, const LogFacts& facts,
                               std::uint64_t sequence = 0);

}  // namespace tideover::wal
