// The durable values of lanes and cursors, and where they stand among the meta keys (docs/WAL_FORMAT.md
// section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/ledger.h"
#include "wal/record.h"

namespace tideover::wal {

// The number that a lane of this name takes unless another lane has it already: records are found by it even
// when the meta block that named their lane is damaged.
LaneId lane_id(std::string_view name);
// Stands in every record of the lane, so that one that was found without meta is given to no other lane.
// Never 0.
std::uint32_t name_check(std::string_view lane);

struct LaneState {
  Seq tail;
  Totals totals;  // through the tail

  bool operator==(const LaneState&) const = default;
};

// Written with every group that appends to the lane: the tail is known even when its last record is damaged
// or gone, and so is which cursors there are.
struct LaneValue {
  std::optional<LaneId> number;  // nullopt: format 1, where it followed from the name
  LaneState state;
  std::vector<std::string> cursors;  // one that is named here and has no value was lost to damage
  bool given_up = false;             // nobody needs what may be found of it any more

  bool operator==(const LaneValue&) const = default;
};

// Records that came while nobody served a cursor are none of its own: [from, until).
struct Absence {
  Seq from;
  Totals left;  // through the record before `from`
  Seq until;    // 0: it lasts
  Totals back;  // through the record before `until`

  bool over() const { return until != Seq{}; }
  bool operator==(const Absence&) const = default;
};

struct CursorState {
  Seq next{1};     // first record not settled
  Totals settled;  // through the record before `next`
  Totals origin;   // through the record before the cursor's first: accepted = tail - origin
  Ledger ledger;
  Seq overtaken_before;  // records before this may have been overtaken by newer ones, on the way out
  // The cursor's place before was lost: of the numbers before this nobody knows whether they had been
  // released, so that one without a record is no damage.
  Seq unknown_before;
  std::vector<Absence> absences;  // ascending, all ahead; the last one may last

  bool operator==(const CursorState&) const = default;
};

CursorState beginning_at(Seq next, const Totals& settled);  // a new one

std::string encode(const LaneValue& value);
std::string encode(const CursorState& state);
std::optional<LaneValue> decode_lane(std::string_view value);  // nullopt: not a value of ours
std::optional<CursorState> decode_cursor(std::string_view value);
// Of a version that this program does not know: neither to be read nor to be written over.
bool is_newer_lane(std::string_view value);
bool is_newer_cursor(std::string_view value);

std::string lane_key(std::string_view lane);
std::string cursor_key(std::string_view lane, std::string_view cursor);
struct CursorName {
  std::string lane;
  std::string cursor;
};
std::optional<std::string> parse_lane_key(std::string_view key);
std::optional<CursorName> parse_cursor_key(std::string_view key);

}  // namespace tideover::wal
