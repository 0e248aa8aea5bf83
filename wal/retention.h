// When a lane is full: pure policy. Required cursors make the lane refuse new records, best-effort cursors
// lose their oldest; records that both still need count once.
#pragma once

#include <cstdint>
#include <optional>

#include "wal/limits.h"
#include "wal/queue.h"

namespace tideover::wal {

struct LaneFill {
  std::uint64_t needed_bytes = 0;   // not yet settled by the slowest required cursor; 0 without one
  std::uint64_t waiting_bytes = 0;  // of all lanes of its signal, not yet in a group
  std::uint64_t waiting_bytes_max = 0;
  std::uint64_t max_bytes = 0;  // 0: no budget
  bool refuse_at_floor = true;
};

// Free space as last seen, less what was written since.
struct DiskFill {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

std::uint64_t floor_bytes(const DiskFill& disk, const WalLimits& limits);

// Why a record of `bytes` is refused, or nullopt.
std::optional<Refusal> refuse(const LaneFill& lane, const DiskFill& disk, std::uint64_t bytes,
                              const WalLimits& limits);

}  // namespace tideover::wal
