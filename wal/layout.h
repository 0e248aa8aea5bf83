// What lies before a cursor, from what was read there: the places where it may stand, and what it passes on
// the way to each.
//
// Pure. A number without a record is damaged; how much it held follows from the totals of its neighbours. A
// pack stands for a range of numbers, and a cursor may stand within it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wal/queue.h"
#include "wal/queue_state.h"

namespace tideover::wal {

// A place where the cursor may stand, and the sums since its present place.
struct Boundary {
  Seq next;
  Totals settled;             // by the lane's totals, as the record in front of it says
  std::uint64_t units = 0;    // that can be delivered: not settled yet, and read
  std::uint64_t carried = 0;  // that the records read carry, settled ones included
  std::uint64_t damaged_records = 0;
  std::uint64_t damaged_units = 0;
};

struct Layout {
  Batch batch;
  std::vector<Boundary> boundaries;  // ascending
};

// `records` lie in [cursor.next, next). `tail` is the lane's durable tail, `next` at most one beyond it.
// Records that cannot stand where they were found (numbers that do not rise) are left out, as damaged.
// nullopt when the damage reaches to `next` without an end that says how much it held: read on.
std::optional<Layout> lay_out(const CursorState& cursor, std::vector<StoredRecord> records, Seq next,
                              const LaneState& tail);

}  // namespace tideover::wal
