// What the queue counts about itself. Plain numbers on the io executor; the admin API turns them into text.
#pragma once

#include <cstdint>

#include "wal/base/histogram.h"

namespace tideover::wal {

struct WalMetrics {
  std::uint64_t appended_records = 0;
  std::uint64_t appended_bytes = 0;
  std::uint64_t commits = 0;          // synced groups
  std::uint64_t commit_failures = 0;  // groups the disk did not take
  std::uint64_t reopens = 0;          // times the store came back after a fault
  std::uint64_t damaged_records = 0;  // passed over by some cursor, or of the newest log's last group
  Histogram commit_seconds;           // one group: write and sync
  Histogram append_seconds;           // from append() to its answer
};

}  // namespace tideover::wal
