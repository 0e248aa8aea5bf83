// Whether the end of the newest log was damaged after it had been synced.
//
// The totals of a lane stand in the groups themselves, so a group without a successor takes the knowledge of
// what it held with it. The torn end of a group that was being written looks much the same, and is no damage:
// nobody was told of it. What tells them apart is that a disk writes sectors whole: after a crash each sector
// of an appended record is as it was written, blank, or beyond the end of the file. A record that is there to
// its last byte, has no blank sector and yet does not check was written whole and changed afterwards. So was
// what the device refuses to read: bytes that were never written read as zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tideover::wal {

struct LogTail {
  std::size_t begin = 0;      // of the damaged log records behind the last intact one
  std::size_t end = 0;        // not beyond `begin`: the log ends well, or torn
  std::uint64_t records = 0;  // of ours that are lost with them, as far as can be told

  bool damaged() const { return end > begin; }
};

// Behind `since` nothing of the log is intact (log_walk.h). `log`: all of it, or from a block in front of
// that place on; the places in it count from there.
LogTail inspect_log_tail(std::string_view log, std::size_t since);

}  // namespace tideover::wal
