#include "wal/release.h"

#include <algorithm>
#include <bit>

namespace tideover::wal {

Seq release_mark(const OpenLane& lane) {
  if (lane.cursors_unknown && lane.cursors.empty()) return Seq{1};  // whoever needs it has not come back yet
  const Seq tail = lane.lane.durable().tail;
  Seq mark = lane.given_up ? next(tail) : tail;
  for (const auto* cursors : {&lane.cursors, &lane.leaving})
    for (const OpenCursor* c : *cursors) mark = std::min(mark, c->cursor.durable_next());
  return mark;
}

std::optional<Seq> to_release(OpenLane& lane, bool again) {
  std::erase_if(lane.leaving,
                [](const OpenCursor* c) { return c->cursor.durable_next() == c->cursor.state().next; });
  const Seq mark = release_mark(lane);
  if (lane.released < mark) {
    lane.released = mark;
    lane.looks_at_rest = 0;
    return mark;
  }
  const bool at_rest = Seq{1} < mark && lane.lane.durable().tail <= mark;
  if (again && at_rest && std::has_single_bit(++lane.looks_at_rest)) return lane.released;
  return std::nullopt;
}

}  // namespace tideover::wal
