#include "wal/adoption.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// Before anything is taken over: what a newer version wrote is neither read nor written over.
Result<> check_versions(const StoreImage& image) {
  for (const auto& [key, value] : image.meta) {
    const auto cursor = parse_cursor_key(key);
    const auto lane = parse_lane_key(key);
    if (!(cursor && is_newer_cursor(value)) && !(lane && is_newer_lane(value))) continue;
    const std::string of = cursor ? fmt::format("the cursor {} of the lane {}", cursor->cursor, cursor->lane)
                                  : fmt::format("the lane {}", *lane);
    return fail(
        Errc::store_refused,
        fmt::format("{} was written by a newer version of the agent (its value has version {}): run the "
                    "version that wrote it, or a newer one",
                    of, static_cast<unsigned char>(value.front())));
  }
  return {};
}

std::map<LaneId, Found> found_in(const StoreImage& image) {
  std::map<LaneId, Found> found;
  for (const auto& [id, record] : image.heads) found[id].head = record;
  for (const auto& [id, record] : image.tails) found[id].tail = record;
  return found;
}

void settle_tail(OpenLane& open, const Found& found, const LaneState& known) {
  LaneState tail = open.lane.durable();
  const auto consider = [&tail](Seq seq, const Totals& totals) {
    if (tail.tail < seq) tail = {seq, totals};
  };
  consider(known.tail, known.totals);
  if (found.tail) consider(found.tail->seq, found.tail->through);
  for (const OpenCursor* c : open.cursors)
    consider(Seq{c->cursor.state().next.value - 1}, c->cursor.state().settled);
  open.lane.adopt(tail);
}

std::map<std::string, LaneValue> readable_lanes(const StoreImage& image) {
  std::map<std::string, LaneValue> lanes;
  for (const auto& [key, value] : image.meta)
    if (const auto name = parse_lane_key(key))
      if (auto lane = decode_lane(value)) lanes.emplace(*name, std::move(*lane));
  return lanes;
}

// A lane that only a cursor, or an unreadable value, still names.
OpenLane& lane_named(const std::string& name, LaneTable& table, Signal& signal, Adopted& adopted) {
  if (OpenLane* open = table.find(name)) return *open;
  OpenLane& open = table.add(name, std::nullopt, signal);
  open.cursors_unknown = true;
  adopted.lost_lanes.push_back(&open);
  return open;
}

bool is_listed(const LaneValue& value, std::string_view cursor) {
  return std::find(value.cursors.begin(), value.cursors.end(), cursor) != value.cursors.end();
}

}  // namespace

Result<Adopted> adopt_first(const StoreImage& image, LaneTable& table, Signal& signal) {
  if (const Result<> checked = check_versions(image); !checked) return checked.error();
  Adopted adopted;
  table.found(found_in(image));
  const auto lanes = readable_lanes(image);
  // Those that say their number first: it is nobody else's.
  for (const bool says : {true, false})
    for (const auto& [name, value] : lanes)
      if (value.number.has_value() == says)
        table.add(name, says ? value.number : lane_id(name), signal).given_up = value.given_up;

  for (const auto& [key, value] : image.meta) {
    if (const auto name = parse_lane_key(key)) lane_named(*name, table, signal, adopted);
    const auto name = parse_cursor_key(key);
    if (!name) continue;
    OpenLane& open = lane_named(name->lane, table, signal, adopted);
    if (const auto state = decode_cursor(value)) table.add(open, name->cursor, *state, Keep::best_effort);
  }
  for (const auto& [id, open] : table.lanes()) {
    const auto value = lanes.find(open->lane.name());
    settle_tail(*open, table.found(id), value != lanes.end() ? value->second.state : LaneState{});
    if (value != lanes.end() && !value->second.number)  // format 1 had no list of cursors
      open->cursors_unknown = image.meta_damaged || (open->cursors.empty() && open->head);
  }
  // What is named somewhere and has no value that can be read.
  const auto lose = [&](OpenLane& open, const std::string& name) {
    if (table.find(open, name)) return;
    const CursorId id = table.add(open, name, lost_place(open), Keep::best_effort);
    adopted.lost_cursors.push_back(&table.at(id));
  };
  for (const auto& [key, value] : image.meta)
    if (const auto name = parse_cursor_key(key)) lose(*table.find(name->lane), name->cursor);
  for (const auto& [name, value] : lanes)
    for (const std::string& cursor : value.cursors) lose(*table.find(name), cursor);
  return adopted;
}

Adopted adopt_again(const StoreImage& image, LaneTable& table) {
  Adopted adopted;
  table.found(found_in(image));
  const auto lanes = readable_lanes(image);
  for (const auto& [id, open] : table.lanes()) {
    const auto value = lanes.find(open->lane.name());
    settle_tail(*open, table.found(id), value != lanes.end() ? value->second.state : LaneState{});
    if (value == lanes.end()) adopted.lost_lanes.push_back(open.get());
    for (OpenCursor* c : open->cursors) {
      const auto stored = image.meta.find(cursor_key(open->lane.name(), c->cursor.name()));
      const auto state = stored != image.meta.end() ? decode_cursor(stored->second) : std::nullopt;
      const bool listed = value != lanes.end() && is_listed(value->second, c->cursor.name());
      // One that left since has nobody who serves it: its present state waits for no record set aside.
      const bool older = state && (state->next < c->cursor.durable_next() ||
                                   state->absences.size() < c->cursor.state().absences.size());
      if (!state || older || !listed) adopted.lost_cursors.push_back(c);
    }
  }
  return adopted;
}

OpenLane& adopt_lane(std::string name, LaneTable& table, Signal& signal) {
  OpenLane& open = table.add(std::move(name), std::nullopt, signal);
  const Found& found = table.found(open.lane.id());
  open.cursors_unknown = found.head.has_value() || found.tail.has_value();
  settle_tail(open, found, {});
  return open;
}

std::uint64_t last_group(const StoreImage& image) {
  const auto commit = image.meta.find(std::string(kCommitKey));
  return commit == image.meta.end() ? 0 : std::strtoull(commit->second.c_str(), nullptr, 10);
}

}  // namespace tideover::wal
