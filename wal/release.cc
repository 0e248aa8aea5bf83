#include "wal/release.h"

#include <algorithm>
#include <bit>

namespace tideover::wal {

Released releasable(const OpenLane& lane) {
  if (lane.cursors_unknown && lane.cursors.empty()) return Seq{1};  // whoever needs it has not come back yet
  const Seq tail = lane.lane.durable().tail;
  std::vector<Share> shares;
  for (const auto* cursors : {&lane.cursors, &lane.leaving})
    for (const OpenCursor* c : *cursors)
      shares.push_back(share_from(c->cursor.durable_next(), c->cursor.state()));
  return unneeded(shares, lane.given_up ? next(tail) : tail);
}

std::optional<Released> to_release(OpenLane& lane, bool again) {
  std::erase_if(lane.leaving,
                [](const OpenCursor* c) { return c->cursor.durable_next() == c->cursor.state().next; });
  Released now = releasable(lane);
  const bool less_is_kept = now.before == lane.released.before && now.kept != lane.released.kept;
  if (lane.released.before < now.before || less_is_kept) {
    lane.released = std::move(now);
    lane.looks_at_rest = 0;
    return lane.released;
  }
  const bool at_rest = Seq{1} < now.before && lane.lane.durable().tail <= now.before && now.kept.empty();
  if (again && at_rest && std::has_single_bit(++lane.looks_at_rest)) return lane.released;
  return std::nullopt;
}

}  // namespace tideover::wal
