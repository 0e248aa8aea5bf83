#include "forwarders/detached.h"

#include <algorithm>
#include <utility>

#include "forwarders/give_up.h"
#include "forwarders/sender.h"
#include "forwarders/side_lanes.h"

namespace tideover::forward {
namespace {

// Adds what the side lane keeps, and returns it.
wal::Totals look_aside(const wal::Queue& queue, std::string_view lane_name, std::string_view kind,
                       Detached& gone) {
  const auto lane = queue.find_lane(side_lane_name(lane_name, kind, gone.main.name));
  if (!lane) return {};
  wal::Totals kept;
  for (const wal::CursorUsage& cursor : queue.cursors(*lane)) {
    if (cursor.name != gone.main.name) continue;
    kept = cursor.behind;
    if (kind != kRejectsLane) gone.aside += cursor.ledger;
  }
  // Set aside by an acknowledgement that is not durable yet: in no cursor's account, and not lost.
  if (kind != kRejectsLane) kept.units += queue.usage(*lane).pending_units;
  return kept;
}

}  // namespace

bool Detached::keeps_data() const {
  const auto any = [](const wal::Totals& kept) { return kept.records + kept.units > 0; };
  return any(main.behind) || any(parked) || any(quarantined);
}

std::vector<Detached> detached(const wal::Queue& queue, std::string_view lane_name, LaneId lane,
                               std::span<const std::string> configured) {
  std::vector<Detached> all;
  for (wal::CursorUsage& cursor : queue.cursors(lane)) {
    if (std::ranges::find(configured, cursor.name) != configured.end()) continue;
    Detached& gone = all.emplace_back();
    gone.main = std::move(cursor);
    gone.parked = look_aside(queue, lane_name, kParkedLane, gone);
    gone.quarantined = look_aside(queue, lane_name, kQuarantineLane, gone);
    gone.dead_letters = look_aside(queue, lane_name, kRejectsLane, gone);
  }
  return all;
}

wal::CursorId freeze(wal::Queue& queue, std::string_view lane_name, LaneId lane, const Detached& gone,
                     const SenderOptions& bounds) {
  const wal::CursorId cursor = queue.leave_cursor(lane, gone.main.name).value();  // it was just found
  const auto bound = [&](std::string_view kind, std::uint64_t max_bytes) {
    const std::string name = side_lane_name(lane_name, kind, gone.main.name);
    if (queue.find_lane(name)) queue.open_lane(name, {max_bytes, false, bounds.memory});
  };
  bound(kParkedLane, bounds.parked_bytes_max);
  bound(kQuarantineLane, bounds.quarantine_bytes_max);
  bound(kRejectsLane, bounds.rejects_bytes_max);
  return cursor;
}

std::vector<std::string> give_up_empty(wal::Queue& queue, std::string_view lane_name, LaneId lane,
                                       std::span<const std::string> configured) {
  std::vector<std::string> given_up;
  for (const Detached& gone : detached(queue, lane_name, lane, configured)) {
    if (gone.keeps_anything() || !give_up_destination(queue, lane_name, gone.main.name)) continue;
    given_up.push_back(gone.main.name);
  }
  return given_up;
}

}  // namespace tideover::forward
