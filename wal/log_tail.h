// Whether the end of the newest log was damaged after it had been synced.
//
// The totals of a lane stand in the groups themselves, so a group without a successor takes the knowledge of
// what it held with it. The torn end of a group that was being written looks much the same, and is no damage:
// nobody was told of it. What tells them apart is that a disk writes sectors whole: after a crash each sector
// of an appended record is as it was written, blank, or beyond the end of the file. A record that is there to
// its last byte, has no blank sector and yet does not check was written whole and changed afterwards. What
// stands behind it in its block is lost as well: RocksDB believes nothing more of that block.
// Blocking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::wal {

struct LogTail {
  std::uint64_t bytes = 0;    // of damaged log records behind the last intact one; 0: the log ends well
  std::uint64_t records = 0;  // of ours that stood in them, as far as can be told
};

// `log`: the end of a log, beginning at a block.
LogTail inspect_log_tail(std::string_view log);

// Of the newest log in the directory; looks at its last 2 MiB. Errors: io_error.
Result<LogTail> inspect_newest_log(const std::string& directory);

}  // namespace tideover::wal
