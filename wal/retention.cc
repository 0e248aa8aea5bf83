#include "wal/retention.h"

#include <algorithm>
#include <fmt/format.h>

namespace tideover::wal {
namespace {

std::uint64_t left(std::uint64_t of, std::uint64_t used) { return of > used ? of - used : 0; }

std::uint64_t budget_room(const LaneFill& lane) {
  return lane.max_bytes == 0 ? kNoBound : left(lane.max_bytes, lane.needed_bytes);
}

std::uint64_t disk_room(const LaneFill& lane, const DiskFill& disk, const WalLimits& limits) {
  if (!lane.refuse_at_floor || disk.total_bytes == 0) return kNoBound;
  return std::max(left(disk.free_bytes, floor_bytes(disk, limits)),
                  std::min(left(lane.flow_bytes, lane.signal_needed_bytes),
                           left(disk.free_bytes + disk.set_aside_bytes, disk.reopen_bytes)));
}

}  // namespace

std::uint64_t floor_bytes(const DiskFill& disk, const WalLimits& limits) {
  const double share = static_cast<double>(disk.total_bytes) * limits.keep_free_ratio;
  return std::min(static_cast<std::uint64_t>(share), limits.keep_free_bytes_max);
}

bool below_floor(const DiskFill& disk, const WalLimits& limits) {
  return disk.total_bytes != 0 && disk.free_bytes < floor_bytes(disk, limits);
}

std::uint64_t room_bytes(const LaneFill& lane, const DiskFill& disk, const WalLimits& limits) {
  return std::min(budget_room(lane), disk_room(lane, disk, limits));
}

std::optional<Refusal> refuse(const LaneFill& lane, const DiskFill& disk, std::uint64_t bytes,
                              const WalLimits& limits) {
  // One alone always passes, or what is as large as the limit would be asked to wait for ever.
  if (lane.waiting_bytes > 0 && lane.waiting_bytes + bytes > lane.waiting_bytes_max)
    return Refusal{
        Errc::unavailable,
        fmt::format("the disk is slower than the intake: {} bytes wait to be synced", lane.waiting_bytes)};
  if (lane.max_bytes != 0 && bytes > lane.max_bytes)
    return Refusal{Errc::too_large,
                   fmt::format("{} bytes can never fit into a buffer of {}: raise its max_bytes", bytes,
                               lane.max_bytes)};
  if (bytes > budget_room(lane))
    return Refusal{Errc::over_budget, fmt::format("the buffer is full: {} of {} bytes are not delivered yet",
                                                  lane.needed_bytes, lane.max_bytes)};
  if (bytes > disk_room(lane, disk, limits))
    return Refusal{
        Errc::disk_floor,
        fmt::format(
            "the file system has {} bytes free, of which {} are to be kept free, and {} bytes are not "
            "delivered yet: below the floor {} may wait for their receiver",
            disk.free_bytes, floor_bytes(disk, limits), lane.signal_needed_bytes, lane.flow_bytes)};
  return std::nullopt;
}

}  // namespace tideover::wal
