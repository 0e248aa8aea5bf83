#include "forwarders/lanes.h"

#include <algorithm>
#include <string_view>

#include "forwarders/side_lanes.h"

namespace tideover::forward {
namespace {

LaneId open_side_lane(wal::Queue& queue, const SenderOptions& options, std::string_view kind,
                      std::uint64_t bytes_max) {
  // Records enter it by acknowledgement only, which never waits for space: its budget is kept by dropping.
  return queue.open_lane(side_lane_name(options.lane_name, kind, options.name),
                         {bytes_max, false, options.memory});
}

Lane main_lane(wal::Queue& queue, const SenderOptions& options) {
  return {.role = Role::main,
          .id = options.lane,
          .cursor = queue.open_cursor(options.lane, options.name, options.keep, options.start)};
}

Lane side_lane(wal::Queue& queue, const SenderOptions& options, Role role, std::string_view kind,
               std::uint64_t bytes_max) {
  const LaneId id = open_side_lane(queue, options, kind, bytes_max);
  return {
      .role = role,
      .id = id,
      .cursor = queue.open_cursor(id, options.name, wal::Keep::best_effort, wal::StartAt::oldest),
      .bytes_max = bytes_max,
      .gated = true,
  };
}

}  // namespace

Lanes::Lanes(wal::Queue& queue, const SenderOptions& options, const Destination& destination)
    : rejects_(open_side_lane(queue, options, kRejectsLane, options.rejects_bytes_max)) {
  lanes_.push_back(main_lane(queue, options));
  if (destination.parks())
    lanes_.push_back(side_lane(queue, options, Role::parked, kParkedLane, options.parked_bytes_max));
  if (destination.quarantines())
    lanes_.push_back(
        side_lane(queue, options, Role::quarantine, kQuarantineLane, options.quarantine_bytes_max));
  queue.open_cursor(rejects_, options.name, wal::Keep::best_effort, wal::StartAt::oldest);
}

const Lane* Lanes::find(Role role) const {
  const auto found =
      std::find_if(lanes_.begin(), lanes_.end(), [role](const Lane& lane) { return lane.role == role; });
  return found == lanes_.end() ? nullptr : &*found;
}

}  // namespace tideover::forward
