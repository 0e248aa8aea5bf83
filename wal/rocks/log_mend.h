// All logs of a store's directory, before RocksDB replays and deletes them. Internal to wal/rocks.
// Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wal/base/result.h"
#include "wal/rocks/log_salvage.h"

namespace tideover::wal {

class CarefulReader;

struct DamagedLog {
  std::string path;
  std::uint64_t sequence = 0;  // LogFacts::next_sequence of those before it
};

struct Logs {
  std::vector<DamagedLog> damaged;  // oldest first
  LogFacts facts;
  std::uint64_t lost_at_tail = 0;  // records of damaged groups that nothing was written after
};

// Reads every log and changes nothing. Errors: io_error.
Result<Logs> look_through_logs(CarefulReader& reader, const std::string& directory);

// Writes the damaged ones anew; the originals go to `lost_directory`. A crash in between: the rest is found
// again. Errors: disk_full, io_error.
Result<> mend_logs(CarefulReader& reader, const Logs& logs, const std::string& lost_directory,
                   const std::function<void(const std::string& sentence)>& note);

}  // namespace tideover::wal
