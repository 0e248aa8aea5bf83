#include "wal/retention.h"

#include <fmt/format.h>

namespace tideover::wal {

std::uint64_t floor_bytes(const DiskFill& disk, const WalLimits& limits) {
  if (limits.keep_free_bytes != 0) return limits.keep_free_bytes;
  return static_cast<std::uint64_t>(static_cast<double>(disk.total_bytes) * limits.keep_free_ratio);
}

std::optional<Refusal> refuse(const LaneFill& lane, const DiskFill& disk, std::uint64_t bytes,
                              const WalLimits& limits) {
  // One alone always passes, or what is as large as the limit would be asked to wait for ever.
  if (lane.waiting_bytes > 0 && lane.waiting_bytes + bytes > lane.waiting_bytes_max)
    return Refusal{
        Errc::unavailable,
        fmt::format("the disk is slower than the intake: {} bytes wait to be synced", lane.waiting_bytes)};
  if (lane.max_bytes != 0 && lane.needed_bytes + bytes > lane.max_bytes)
    return Refusal{Errc::over_budget, fmt::format("the buffer is full: {} of {} bytes are not delivered yet",
                                                  lane.needed_bytes, lane.max_bytes)};
  const std::uint64_t floor = floor_bytes(disk, limits);
  if (lane.refuse_at_floor && disk.free_bytes < floor + bytes)
    return Refusal{Errc::disk_floor,
                   fmt::format("the file system has {} bytes free, of which {} are to be kept free",
                               disk.free_bytes, floor)};
  return std::nullopt;
}

}  // namespace tideover::wal
