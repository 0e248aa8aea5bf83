// The durable values of lanes and cursors, and where they stand among the meta keys (docs/WAL_FORMAT.md
// section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wal/ledger.h"
#include "wal/record.h"

namespace tideover::wal {

// A lane's number follows from its name, so that its records are found even when the meta block that named it
// is damaged.
LaneId lane_id(std::string_view name);

// Written with every group that appends to the lane: the tail is known even when its last record is damaged
// or gone.
struct LaneState {
  Seq tail;
  Totals totals;  // through the tail

  bool operator==(const LaneState&) const = default;
};

struct CursorState {
  Seq next{1};     // first record not settled
  Totals settled;  // through the record before `next`
  Totals origin;   // through the record before the cursor's first: accepted = tail - origin
  Ledger ledger;
  Seq overtaken_before;  // records before this may have been overtaken by newer ones, on the way out

  bool operator==(const CursorState&) const = default;
};

CursorState beginning_at(Seq next, const Totals& settled);  // a new one

std::string encode(const LaneState& state);
std::string encode(const CursorState& state);
std::optional<LaneState> decode_lane(std::string_view value);  // nullopt: not a value of ours
std::optional<CursorState> decode_cursor(std::string_view value);

std::string lane_key(std::string_view lane);
std::string cursor_key(std::string_view lane, std::string_view cursor);
struct CursorName {
  std::string lane;
  std::string cursor;
};
std::optional<std::string> parse_lane_key(std::string_view key);
std::optional<CursorName> parse_cursor_key(std::string_view key);

}  // namespace tideover::wal
