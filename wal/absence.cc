#include "wal/absence.h"

#include <algorithm>
#include <utility>

namespace tideover::wal {
namespace {

constexpr Seq kNever{UINT64_MAX};

// One stretch of a share, by the lane's totals in front of it and through it.
struct Stretch {
  Totals front;
  Totals through;
};

// Asked with every append: it allocates nothing.
template <class Take>
void each_stretch(const CursorState& state, const Totals& tail, Take take) {
  Totals front = state.settled;
  for (const Absence& absence : state.absences) {
    take(Stretch{front, absence.left});
    front = absence.back;
  }
  if (!is_away(state)) take(Stretch{front, tail});
}

}  // namespace

Totals behind(const CursorState& state, const Totals& tail) {
  Totals sum;
  each_stretch(state, tail, [&sum](const Stretch& s) { sum = sum + distance(s.front, s.through); });
  return sum;
}

Totals accepted(const CursorState& state, const LaneState& tail) {
  Totals end = tail.totals;
  Totals missed;
  for (const Absence& absence : state.absences) {
    if (absence.over())
      missed = missed + (absence.back - absence.left);
    else
      end = absence.left;
  }
  if (state.settled.units <= end.units) return end - missed - state.origin;
  Totals bent = state.settled - state.origin;
  bent.units = state.ledger.settled();
  return bent;
}

LaneState reach(const CursorState& state, const LaneState& tail) {
  if (state.absences.empty()) return tail;
  const Absence& first = state.absences.front();
  return {Seq{first.from.value - 1}, first.left};
}

void leave(CursorState& state, const LaneState& tail) {
  if (is_away(state)) return;
  const Seq from = std::max(next(tail.tail), state.next);
  // Where nothing came since it was back it was never back: to come and go adds nothing.
  if (!state.absences.empty() && state.absences.back().until == from)
    state.absences.back() = {state.absences.back().from, state.absences.back().left, {}, {}};
  else
    state.absences.push_back({from, tail.totals, {}, {}});
}

void come_back(CursorState& state, const LaneState& tail) {
  if (!is_away(state)) return;
  Absence& absence = state.absences.back();
  absence.until = std::max(next(tail.tail), absence.from);
  absence.back = tail.totals;
  if (absence.until == absence.from)
    state.absences.pop_back();  // nothing came meanwhile
  else
    step_over(state);
}

void step_over(CursorState& state) {
  while (!state.absences.empty()) {
    const Absence& first = state.absences.front();
    if (!first.over() || state.next < first.from) return;
    // What came meanwhile was never its own: its account does not know of it.
    state.origin = state.origin + (first.back - state.settled);
    state.next = std::max(state.next, first.until);
    state.settled = first.back;
    state.absences.erase(state.absences.begin());
  }
}

Share share_from(Seq from, const CursorState& state) {
  Share share;
  for (const Absence& absence : state.absences) {
    if (from < absence.from) share.runs.push_back({from, absence.from});
    from = absence.over() ? absence.until : kNever;
  }
  share.rest = from;
  return share;
}

Released unneeded(std::span<const Share> shares, Seq before) {
  Released released(before);
  std::vector<SeqRange> runs;
  for (const Share& share : shares) {
    released.before = std::min(released.before, share.rest);
    runs.insert(runs.end(), share.runs.begin(), share.runs.end());
  }
  std::ranges::sort(runs, {}, &SeqRange::from);
  for (SeqRange run : runs) {
    run.until = std::min(run.until, released.before);
    if (!(run.from < run.until)) continue;
    if (!released.kept.empty() && run.from <= released.kept.back().until)
      released.kept.back().until = std::max(released.kept.back().until, run.until);
    else
      released.kept.push_back(run);
  }
  // A run that reaches the mark is no island: all from it on is needed.
  if (!released.kept.empty() && released.kept.back().until == released.before) {
    released.before = released.kept.back().from;
    released.kept.pop_back();
  }
  return released;
}

Totals held(std::span<const CursorState* const> states, const LaneState& tail) {
  std::vector<Stretch> all;
  for (const CursorState* state : states)
    each_stretch(*state, tail.totals, [&all](const Stretch& stretch) { all.push_back(stretch); });
  std::ranges::sort(all, {}, [](const Stretch& stretch) { return stretch.front.bytes; });
  Totals sum;
  Totals counted;  // through here
  for (const Stretch& stretch : all) {
    const Totals front = stretch.front.bytes < counted.bytes ? counted : stretch.front;
    if (stretch.through.bytes <= front.bytes) continue;
    sum = sum + distance(front, stretch.through);
    counted = stretch.through;
  }
  return sum;
}

}  // namespace tideover::wal
