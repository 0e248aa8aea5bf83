#include "wal/queue_state.h"

#include <algorithm>
#include <xxhash.h>

#include "wal/base/little_endian.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// 1 had neither the lane's number nor its cursors, and no cursor that began again after a loss.
constexpr std::uint8_t kStateVersion = 2;
// Only of cursors with absences: without them an older agent reads what this one wrote.
constexpr std::uint8_t kAbsenceVersion = 3;

void append(std::string& to, const Totals& totals) {
  append_le(to, totals.records);
  append_le(to, totals.units);
  append_le(to, totals.bytes);
}

Totals next_totals(LittleEndianReader& from) {
  Totals totals;
  totals.records = from.next<std::uint64_t>();
  totals.units = from.next<std::uint64_t>();
  totals.bytes = from.next<std::uint64_t>();
  return totals;
}

bool is_reachable(Seq seq, const Totals& totals) {
  return std::max({seq.value, totals.records, totals.units, totals.bytes}) < kNumberMax;
}

// Each ahead of what is before it, and only the last one may last.
bool are_in_order(const CursorState& state) {
  Seq before = state.next;
  for (const Absence& absence : state.absences) {
    if (absence.from < before || !is_reachable(absence.from, absence.left)) return false;
    if (!absence.over()) return &absence == &state.absences.back();
    if (!(absence.from < absence.until) || !is_reachable(absence.until, absence.back)) return false;
    before = absence.until;
  }
  return true;
}

}  // namespace

LaneId lane_id(std::string_view name) { return LaneId{XXH32(name.data(), name.size(), 0)}; }

std::uint32_t name_check(std::string_view lane) {
  const auto check = static_cast<std::uint32_t>(XXH3_64bits(lane.data(), lane.size()));
  return check != 0 ? check : 1;
}

CursorState beginning_at(Seq next, const Totals& settled) {
  CursorState state;
  state.next = next;
  state.settled = settled;
  state.origin = settled;
  return state;
}

std::string encode(const LaneValue& lane) {
  std::string value;
  append_le(value, kStateVersion);
  append_le(value, lane.state.tail.value);
  append(value, lane.state.totals);
  append_le(value, lane.number.value_or(LaneId{}).value);
  append_le(value, static_cast<std::uint8_t>(lane.given_up));
  append_le(value, static_cast<std::uint32_t>(lane.cursors.size()));
  for (const std::string& name : lane.cursors) {
    append_le(value, static_cast<std::uint32_t>(name.size()));
    value += name;
  }
  return value;
}

std::optional<LaneValue> decode_lane(std::string_view value) {
  LittleEndianReader from(value);
  const auto version = from.next<std::uint8_t>();
  if (version == 0 || version > kStateVersion) return std::nullopt;
  LaneValue lane;
  lane.state.tail = Seq{from.next<std::uint64_t>()};
  lane.state.totals = next_totals(from);
  if (!from.ok() || !is_reachable(lane.state.tail, lane.state.totals)) return std::nullopt;
  if (version == 1) return lane;
  lane.number = LaneId{from.next<std::uint32_t>()};
  lane.given_up = from.next<std::uint8_t>() != 0;
  const auto cursors = from.next<std::uint32_t>();
  for (std::uint32_t i = 0; i < cursors && from.ok(); ++i)
    lane.cursors.emplace_back(from.next_bytes(from.next<std::uint32_t>()));
  if (!from.ok()) return std::nullopt;
  return lane;
}

std::string encode(const CursorState& state) {
  std::string value;
  append_le(value, state.absences.empty() ? kStateVersion : kAbsenceVersion);
  append_le(value, state.next.value);
  append(value, state.settled);
  append(value, state.origin);
  const Ledger& ledger = state.ledger;
  append_le(value, ledger.delivered);
  append_le(value, ledger.diverted);
  append_le(value, ledger.probable_duplicates);
  append_le(value, ledger.under_reported);
  append_le(value, ledger.stripped);
  // Counted, so that a later version may know more reasons and still read this one.
  append_le(value, static_cast<std::uint16_t>(ledger.lost.size()));
  for (const std::uint64_t lost : ledger.lost) append_le(value, lost);
  append_le(value, state.overtaken_before.value);
  append_le(value, state.unknown_before.value);
  if (!state.absences.empty()) append_le(value, static_cast<std::uint32_t>(state.absences.size()));
  for (const Absence& absence : state.absences) {
    append_le(value, absence.from.value);
    append(value, absence.left);
    append_le(value, absence.until.value);
    append(value, absence.back);
  }
  return value;
}

std::optional<CursorState> decode_cursor(std::string_view value) {
  LittleEndianReader from(value);
  const auto version = from.next<std::uint8_t>();
  if (version == 0 || version > kAbsenceVersion) return std::nullopt;
  CursorState state;
  state.next = Seq{from.next<std::uint64_t>()};
  state.settled = next_totals(from);
  state.origin = next_totals(from);
  Ledger& ledger = state.ledger;
  ledger.delivered = from.next<std::uint64_t>();
  ledger.diverted = from.next<std::uint64_t>();
  ledger.probable_duplicates = from.next<std::uint64_t>();
  ledger.under_reported = from.next<std::uint64_t>();
  ledger.stripped = from.next<std::uint64_t>();
  const auto reasons = from.next<std::uint16_t>();
  if (reasons > ledger.lost.size()) return std::nullopt;
  for (std::size_t i = 0; i < reasons; ++i) ledger.lost[i] = from.next<std::uint64_t>();
  if (!from.ok() || state.next == Seq{} || !is_reachable(state.next, state.settled)) return std::nullopt;
  if (version == 1 && from.at_end()) return state;  // the first values of version 1 end here
  state.overtaken_before = Seq{from.next<std::uint64_t>()};
  if (version > 1) state.unknown_before = Seq{from.next<std::uint64_t>()};
  if (version > 2) {
    const auto absences = from.next<std::uint32_t>();
    for (std::uint32_t i = 0; i < absences && from.ok(); ++i) {
      Absence absence;
      absence.from = Seq{from.next<std::uint64_t>()};
      absence.left = next_totals(from);
      absence.until = Seq{from.next<std::uint64_t>()};
      absence.back = next_totals(from);
      state.absences.push_back(absence);
    }
    if (!are_in_order(state)) return std::nullopt;
  }
  if (!from.ok()) return std::nullopt;
  return state;
}

bool is_newer_lane(std::string_view value) {
  return !value.empty() && static_cast<std::uint8_t>(value.front()) > kStateVersion;
}

bool is_newer_cursor(std::string_view value) {
  return !value.empty() && static_cast<std::uint8_t>(value.front()) > kAbsenceVersion;
}

std::string lane_key(std::string_view lane) { return std::string(kLanePrefix).append(lane); }

std::string cursor_key(std::string_view lane, std::string_view cursor) {
  std::string key(kCursorPrefix);
  key.append(lane).push_back('\0');
  return key.append(cursor);
}

std::optional<std::string> parse_lane_key(std::string_view key) {
  if (!key.starts_with(kLanePrefix)) return std::nullopt;
  return std::string(key.substr(kLanePrefix.size()));
}

std::optional<CursorName> parse_cursor_key(std::string_view key) {
  if (!key.starts_with(kCursorPrefix)) return std::nullopt;
  key.remove_prefix(kCursorPrefix.size());
  const auto split = key.find('\0');
  if (split == std::string_view::npos) return std::nullopt;
  return CursorName{std::string(key.substr(0, split)), std::string(key.substr(split + 1))};
}

}  // namespace tideover::wal
