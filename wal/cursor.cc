#include "wal/cursor.h"

#include <algorithm>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover::wal {

std::optional<Batch> Cursor::lay_out(std::vector<StoredRecord> records, Seq next, const LaneState& tail) {
  auto layout = wal::lay_out(state_, std::move(records), next, reach(state_, tail));
  if (!layout) return std::nullopt;
  trimmed_ = false;
  boundaries_ = std::move(layout->boundaries);
  return std::move(layout->batch);
}

std::optional<std::uint64_t> Cursor::apply(const Ack& ack, std::uint64_t diverted_units) {
  if (trimmed_) return std::nullopt;
  const auto to = std::find_if(boundaries_.begin(), boundaries_.end(),
                               [&](const Boundary& b) { return b.next == ack.upto; });
  invariant(to != boundaries_.end(), "a cursor moves to the boundary of a record that was read");
  const Boundary reached = *to;
  boundaries_.erase(boundaries_.begin(), to + 1);
  for (Boundary& b : boundaries_) {
    b.units -= reached.units;
    b.carried -= reached.carried;
    b.damaged_records -= reached.damaged_records;
    b.damaged_units -= reached.damaged_units;
  }
  return settle(reached, ack, diverted_units);
}

std::uint64_t Cursor::settle(const Boundary& reached, const Ack& ack, std::uint64_t diverted_units) {
  std::uint64_t left = reached.units;
  std::uint64_t unnamed = reached.carried;
  const auto take = [&left, &unnamed](std::uint64_t units) {
    invariant(units <= unnamed, "no more units are lost or diverted than the records hold");
    unnamed -= units;
    units = std::min(units, left);  // what a pack carries a second time is in the account already
    left -= units;
    return units;
  };
  Ledger& ledger = state_.ledger;
  ledger.lost[static_cast<std::size_t>(Reason::damaged)] += reached.damaged_units;
  for (const Ack::Loss& loss : ack.losses)
    ledger.lost[static_cast<std::size_t>(loss.reason)] += take(loss.units);
  ledger.diverted += take(diverted_units);
  ledger.delivered += left;
  ledger.probable_duplicates += ack.probable_duplicates;
  ledger.under_reported += ack.under_reported;
  ledger.stripped += ack.stripped;
  // The account goes by what was there, the totals by what they say: where damage has bent them (backwards,
  // or over numbers of which nothing is known), the origin is bent with them. Unsigned numbers wrap, so it
  // may lie "before" 0 and differences come out right.
  state_.origin.units += reached.settled.units - state_.settled.units - reached.units - reached.damaged_units;
  state_.next = reached.next;
  state_.settled = reached.settled;
  step_over(state_);
  return reached.damaged_records;
}

std::optional<std::uint64_t> Cursor::trim(std::vector<StoredRecord> records, Seq next,
                                          const LaneState& tail) {
  // The sender may hold a batch: its boundaries stay until this one counts.
  const auto layout = wal::lay_out(state_, std::move(records), next, reach(state_, tail));
  if (!layout || layout->boundaries.empty()) return std::nullopt;
  Ack ack;
  ack.losses.push_back({Reason::budget, layout->boundaries.back().carried});
  const std::uint64_t damaged = settle(layout->boundaries.back(), ack, 0);
  boundaries_.clear();
  trimmed_ = true;
  return damaged;
}

void Cursor::give_up(const LaneState& tail) {
  state_.ledger.lost[static_cast<std::size_t>(Reason::operator_drop)] +=
      wal::behind(state_, tail.totals).units;
  const Totals taken = wal::accepted(state_, tail);
  state_.absences.clear();
  state_.next = std::max(state_.next, tideover::next(tail.tail));
  state_.settled = tail.totals;
  state_.origin = tail.totals - taken;
  boundaries_.clear();
}

}  // namespace tideover::wal
