#include "wal/lane_table.h"

#include <algorithm>
#include <utility>

#include "wal/base/invariant.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

std::uint32_t check_of(const Found& found) {
  if (found.tail && found.tail->name_check != 0) return found.tail->name_check;
  return found.head ? found.head->name_check : 0;
}

CursorState at_tail(const OpenLane& lane) {
  const LaneState& tail = lane.lane.durable();
  return beginning_at(next(tail.tail), tail.totals);
}

CursorState at_furthest_behind(const OpenLane& lane) {
  CursorState state = at_tail(lane);
  for (const OpenCursor* c : lane.cursors) {
    const CursorState& other = c->cursor.state();
    if (is_away(other)) continue;  // what came since it left may be gone
    const bool gapless = other.absences.empty();
    const Seq from = gapless ? other.next : other.absences.back().until;
    if (!(from < state.next)) continue;
    state = beginning_at(from, gapless ? other.settled : other.absences.back().back);
    state.unknown_before = other.unknown_before;
  }
  return state;
}

}  // namespace

OpenLane* LaneTable::find(LaneId id) const {
  const auto it = lanes_.find(id);
  return it == lanes_.end() ? nullptr : it->second.get();
}

OpenLane* LaneTable::find(std::string_view name) {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

OpenLane& LaneTable::at(LaneId id) {
  OpenLane* open = find(id);
  invariant(open != nullptr, "a lane is opened before it is used");
  return *open;
}

const Found& LaneTable::found(LaneId id) const {
  static const Found nothing;
  const auto it = found_.find(id);
  return it == found_.end() ? nothing : it->second;
}

LaneId LaneTable::take_number(std::string_view name) const {
  const LaneId derived = lane_id(name);
  for (LaneId id = derived;; ++id.value) {
    if (lanes_.contains(id)) continue;
    const auto stray = found_.find(id);
    if (stray == found_.end()) return id;
    // Records of format 1 do not say whose they are, and stand under the number of their lane's name.
    const std::uint32_t check = check_of(stray->second);
    if (check == 0 ? id == derived : check == name_check(name)) return id;
  }
}

OpenLane& LaneTable::add(std::string name, std::optional<LaneId> id, Signal& signal) {
  const LaneId number = id && !lanes_.contains(*id) ? *id : take_number(name);
  auto& slot = lanes_[number];
  slot = std::make_unique<OpenLane>(name, number, signal);
  slot->head = found(number).head;
  by_name_[std::move(name)] = slot.get();
  return *slot;
}

CursorId LaneTable::add(OpenLane& lane, std::string name, const CursorState& state, Keep keep) {
  cursors_.push_back(std::make_unique<OpenCursor>(clock_, lane.lane, std::move(name), state));
  OpenCursor& added = *cursors_.back();
  added.keep = keep;
  // One of its name that was just given up is what a crash would find: from now on that is this one's place.
  for (const OpenCursor* old : lane.leaving)
    if (old->cursor.name() == added.cursor.name())
      added.cursor.made_durable(std::min(added.cursor.durable_next(), old->cursor.durable_next()));
  std::erase_if(lane.leaving,
                [&](const OpenCursor* old) { return old->cursor.name() == added.cursor.name(); });
  lane.cursors.push_back(&added);
  return CursorId{static_cast<std::uint32_t>(cursors_.size() - 1)};
}

std::optional<CursorId> LaneTable::find(const OpenLane& lane, std::string_view name) const {
  for (std::size_t i = 0; i < cursors_.size(); ++i)
    if (&cursors_[i]->lane == &lane.lane && cursors_[i]->cursor.name() == name && !cursors_[i]->dropped)
      return CursorId{static_cast<std::uint32_t>(i)};
  return std::nullopt;
}

CursorState place_of_new(const OpenLane& lane, StartAt start) {
  if (lane.cursors_unknown) return lost_place(lane);
  return start == StartAt::now ? at_tail(lane) : at_furthest_behind(lane);
}

CursorState lost_place(const OpenLane& lane) {
  const LaneState& tail = lane.lane.durable();
  const bool there = lane.head && lane.head->seq <= tail.tail && !lane.released.contains(lane.head->first());
  CursorState state = there ? beginning_at(lane.head->first(), before(*lane.head)) : at_furthest_behind(lane);
  state.unknown_before = next(tail.tail);
  return state;
}

Seq oldest_needed(const OpenLane& lane) {
  Seq oldest = next(lane.lane.durable().tail);
  for (const OpenCursor* c : lane.cursors) oldest = std::min(oldest, c->cursor.state().next);
  return oldest;
}

std::uint64_t needed_bytes(const OpenLane& lane) {
  std::uint64_t needed = 0;
  for (const OpenCursor* c : lane.cursors) {
    if (c->keep != Keep::required) continue;
    const std::uint64_t held = behind(c->cursor.state(), lane.lane.sealed().totals).bytes;
    needed = std::max(needed, held + lane.lane.waiting_bytes());
  }
  return needed;
}

Totals held(const OpenLane& lane) {
  std::vector<const CursorState*> states;
  for (const OpenCursor* c : lane.cursors) states.push_back(&c->cursor.state());
  return held(states, lane.lane.durable());
}

LaneValue value_of(const OpenLane& lane) {
  LaneValue value;
  value.number = lane.lane.id();
  value.state = lane.lane.sealed();
  for (const OpenCursor* c : lane.cursors) value.cursors.push_back(c->cursor.name());
  value.given_up = lane.given_up;
  return value;
}

}  // namespace tideover::wal
