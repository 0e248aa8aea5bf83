#include "wal/trimmer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "wal/retention.h"
#include "wal/signal.h"

namespace tideover::wal {
namespace {

constexpr std::uint64_t kTrimBytes = 256 << 10;

std::uint64_t held_by(const OpenCursor& cursor) {
  return behind(cursor.cursor.state(), cursor.lane.durable().totals).bytes;
}

// As much as it may hold.
std::uint64_t bound_of(const OpenLane& lane, const OpenCursor& cursor) {
  const std::uint64_t budget = lane.options.max_bytes == 0 ? kNoBound : lane.options.max_bytes;
  return std::min(budget, cursor.held_at_floor.value_or(kNoBound));
}

// What is kept for destinations that are gone costs others nothing: their oldest goes first.
bool is_in_the_way(const OpenLane& lane, const OpenCursor& cursor) {
  return is_away(cursor.cursor.state()) && cursor.cursor.state().next == oldest_needed(lane) &&
         lane.options.max_bytes != 0 && held(lane).bytes > lane.options.max_bytes;
}

bool holds_too_much(const OpenLane& lane, const OpenCursor& cursor) {
  if (cursor.keep != Keep::best_effort || held_by(cursor) == 0) return false;
  return held_by(cursor) > bound_of(lane, cursor) || is_in_the_way(lane, cursor);
}

}  // namespace

void Trimmer::trim(OpenLane& lane, bool below_floor) {
  for (OpenCursor* c : lane.cursors) {
    if (!below_floor || !lane.options.refuse_at_floor)
      c->held_at_floor.reset();
    else if (!c->held_at_floor)
      c->held_at_floor = std::max(held_by(*c), lane.lane.signal().limits.flow_bytes);
  }
  trim(lane);
}

void Trimmer::trim(OpenLane& lane) {
  if (stopping_) return;
  for (OpenCursor* c : lane.cursors) {
    if (c->trimming || c->held_up || !holds_too_much(lane, *c)) continue;
    c->trimming = true;
    read_run(lane, *c, c->cursor.state().next, c->cursor.state().next);
  }
}

// `start`: the cursor's place. From there to `from` nothing could be read.
void Trimmer::read_run(OpenLane& lane, OpenCursor& cursor, Seq start, Seq from) {
  const LaneState tail = reach(cursor.cursor.state(), lane.lane.durable());
  const ReadRequest request{lane.lane.id(), from, next(tail.tail), kTrimBytes};
  auto range = std::make_shared<Result<ReadRange>>(fail(Errc::unavailable, "not read yet"));
  reader_.submit(
      [this, request, range] { *range = store_.read(request); },
      [this, &lane, &cursor, start, range, tail] { drop_run(lane, cursor, start, std::move(*range), tail); });
}

void Trimmer::drop_run(OpenLane& lane, OpenCursor& cursor, Seq start, Result<ReadRange> range,
                       const LaneState& tail) {
  cursor.trimming = false;
  if (!range || stopping_ || cursor.dropped || cursor.cursor.state().next != start) return;
  const Seq reached = range->next;
  const auto damaged = cursor.cursor.trim(lane.lane.own(std::move(range->records)), reached, tail);
  if (!damaged) {
    if (!(start < reached) || !(reached <= reach(cursor.cursor.state(), lane.lane.durable()).tail)) return;
    cursor.trimming = true;
    return read_run(lane, cursor, start, reached);
  }
  metrics_.damaged_records += *damaged;
  cursor.trimmed_to = cursor.cursor.state().next;
  committer_.moved(lane.lane, cursor.cursor);
  trim(lane);
}

}  // namespace tideover::wal
