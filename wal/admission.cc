#include "wal/admission.h"

namespace tideover::wal {

LaneFill Admission::fill_of(const OpenLane& open) const {
  const Signal& signal = open.lane.signal();
  LaneFill fill;
  fill.waiting_bytes = signal.waiting_bytes;
  fill.waiting_bytes_max = signal.limits.waiting_bytes;
  fill.max_bytes = open.options.max_bytes;
  fill.refuse_at_floor = open.options.refuse_at_floor;
  fill.needed_bytes = needed_bytes(open);
  fill.flow_bytes = signal.limits.flow_bytes;
  for (const Lane* lane : signal.lanes) {
    const OpenLane* other = lanes_.find(lane->id());
    if (other != nullptr && other->options.refuse_at_floor) fill.signal_needed_bytes += needed_bytes(*other);
  }
  return fill;
}

std::optional<Refusal> Admission::refusal(const OpenLane& open, std::uint64_t bytes) const {
  if (open.given_up) return Refusal{Errc::not_found, "the lane was given up"};
  if (open.lane.is_full()) return Refusal{Errc::unavailable, "the lane has no numbers left to give"};
  if (committer_.fault()) return Refusal{committer_.fault()->code, committer_.fault()->detail};
  return refuse(fill_of(open), disk_.fill(), bytes, limits_);
}

LaneUsage Admission::usage(const OpenLane& open) const {
  LaneUsage usage;
  usage.accepted = open.lane.durable().totals;
  usage.held = held(open);
  usage.max_bytes = open.options.max_bytes;
  usage.room_bytes = room_bytes(fill_of(open), disk_.fill(), limits_);
  usage.pending_units = committer_.pending_units(open.lane);
  return usage;
}

std::vector<CursorUsage> usage_of_cursors(const OpenLane& open) {
  std::vector<CursorUsage> result;
  const LaneState& tail = open.lane.durable();
  for (const OpenCursor* c : open.cursors) {
    const CursorState& state = c->cursor.state();
    result.push_back({c->cursor.name(), state.next, state.overtaken_before, behind(state, tail.totals),
                      accepted(state, tail), state.ledger, c->keep,
                      has_more(state, tail) ? c->oldest_ms : 0});
  }
  return result;
}

}  // namespace tideover::wal
