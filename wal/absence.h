// What a cursor owes while its destination comes and goes: it has a share of a lane's records, with gaps.
//
// A destination that is in the configuration no more keeps what it had, and takes nothing that comes after:
// its share ends. When it is back, what it had is delivered first, and then what came since it is back; what
// came in between was never its own, and may be gone. Pure: every rule on shares stands here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "wal/queue_state.h"
#include "wal/store.h"

namespace tideover::wal {

// The lane's totals may be bent by damage: differences are never less than nothing.
Totals behind(const CursorState& state, const Totals& tail);       // what of its share is not settled
Totals accepted(const CursorState& state, const LaneState& tail);  // what it has taken over so far

// How far it may read from where it stands: the lane's tail, or the last record before a gap.
LaneState reach(const CursorState& state, const LaneState& tail);
inline bool has_more(const CursorState& state, const LaneState& tail) {
  return state.next <= reach(state, tail).tail;
}

inline bool is_away(const CursorState& state) {
  return !state.absences.empty() && !state.absences.back().over();
}
void leave(CursorState& state, const LaneState& tail);  // its share ends with the tail; once is enough
void come_back(CursorState& state, const LaneState& tail);
// From the last record before a gap it steps to the first behind it.
void step_over(CursorState& state);

// What it needs when it stands at `next` (which may be a place in its past, where a crash would find it):
// runs that end, and all from a number on; the latter behind every record while it is away.
struct Share {
  std::vector<SeqRange> runs;  // ascending, none empty
  Seq rest;
};
Share share_from(Seq next, const CursorState& state);
// Of all shares together: what nobody needs, below the last number that nobody needs for good.
Released unneeded(std::span<const Share> shares, Seq before);

// How much of a lane anybody needs, each record once. `states` stand where they stand.
Totals held(std::span<const CursorState* const> states, const LaneState& tail);

}  // namespace tideover::wal
