// When a lane is full: pure policy. Required cursors make the lane refuse new records, best-effort cursors
// lose their oldest; records that both still need count once.
//
// Two bounds, of which the smaller counts: the lane's budget, and the file system's floor. The floor bounds
// the backlog and never the flow: below it a signal still has its flow_bytes, in which records are on their
// way to a receiver that takes them; on a full disk as far as the space reaches that the store has set aside.
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
  std::uint64_t signal_needed_bytes =
      0;                         // as needed_bytes, of all lanes of its signal that refuse at the floor
  std::uint64_t flow_bytes = 0;  // of its signal
};

// Free space as last seen, less what was written since.
struct DiskFill {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;      // 0: the file system does not say (ramfs), and has no floor
  std::uint64_t set_aside_bytes = 0;  // beside them, by the store
  std::uint64_t reopen_bytes = 0;     // of which the store needs so many to be opened again
};

std::uint64_t floor_bytes(const DiskFill& disk, const WalLimits& limits);
bool below_floor(const DiskFill& disk, const WalLimits& limits);

inline constexpr std::uint64_t kNoBound = UINT64_MAX;
// How much more is taken while nothing is delivered.
std::uint64_t room_bytes(const LaneFill& lane, const DiskFill& disk, const WalLimits& limits);

// Why a record of `bytes` is refused, or nullopt. Errors: too_large, when it could never be taken;
// unavailable, over_budget, disk_floor.
std::optional<Refusal> refuse(const LaneFill& lane, const DiskFill& disk, std::uint64_t bytes,
                              const WalLimits& limits);

}  // namespace tideover::wal
