#include "wal/unwritten.h"

#include <iterator>
#include <utility>

#include "wal/wal_format.h"

namespace tideover::wal {

void Unwritten::divert(Lane& lane, NewRecord record) {
  lane.signal().divert_bytes += record.bytes.size();
  pending_[&lane] += record.attributes.units;
  diverts_.push_back({&lane, std::move(record)});
}

void Unwritten::born(Lane& lane) { born_lanes_.insert(&lane); }

void Unwritten::born(Lane& lane, Cursor& cursor) {
  born_[cursor_key(lane.name(), cursor.name())] = {&cursor, false};
  born(lane);
}

void Unwritten::changed(Lane& lane) { changed_.insert(&lane); }

void Unwritten::moved(const Lane& lane, Cursor& cursor) {
  moved_[cursor_key(lane.name(), cursor.name())] = {&cursor, false};
}

void Unwritten::forget(Lane& lane, Cursor& cursor) {
  const std::string key = cursor_key(lane.name(), cursor.name());
  born_.erase(key);
  moved_[key] = {&cursor, true};
  changed(lane);
}

bool Unwritten::empty() const {
  return diverts_.empty() && moved_.empty() && changed_.empty() && born_lanes_.empty();
}

// A cursor that never moves again would stand in the log record of this group alone: were it that of the
// first records too, one damaged byte would take the place from which all later ones are owed. Crash between
// the births and the first record: lanes and cursors without a record, as they were born. Crash before the
// births: no append was answered, nothing is owed.
Group Unwritten::form_births() {
  Group group;
  group.number = ++number_;
  group.births = true;
  group.batch.anchor = true;
  group.changed = std::exchange(born_lanes_, {});
  for (Lane* lane : group.changed)
    group.batch.meta.emplace_back(lane_key(lane->name()), encode(value_of_(*lane)));
  for (const auto& [key, move] : born_) moved_.erase(key);  // its present state is that of its birth
  add(group, std::exchange(born_, {}));
  group.batch.meta.emplace_back(std::string(kCommitKey), std::to_string(group.number));
  return group;
}

// Every diverted record goes into the group that carries its cursor's move, since one without the other would
// be a loss (moved, not kept) or a repetition (kept, not moved).
Group Unwritten::form(std::vector<Waiting> waiters) {
  Group group;
  group.number = ++number_;
  for (Divert& d : std::exchange(diverts_, {})) {
    d.lane->signal().divert_bytes -= d.record.bytes.size();
    add(group, *d.lane, std::move(d.record));
    group.diverted.emplace_back(d.lane, d.lane->sealed().tail);
  }
  for (Waiting& w : waiters) {
    if (w.lane != nullptr) add(group, *w.lane, std::move(w.record));
    for (Checkpoint& note : std::exchange(w.checkpoints, {})) add(group, std::move(note));
    group.waiters.push_back(std::move(w));
  }
  group.changed = std::exchange(changed_, {});
  std::set<Lane*> lanes = group.changed;
  for (const auto& [lane, records] : group.sealed) lanes.insert(lane);
  for (Lane* lane : lanes) group.batch.meta.emplace_back(lane_key(lane->name()), encode(value_of_(*lane)));
  add(group, std::exchange(moved_, {}));
  group.batch.meta.emplace_back(std::string(kCommitKey), std::to_string(group.number));
  return group;
}

void Unwritten::add(Group& group, Lane& lane, NewRecord record) {
  StoredRecord sealed = lane.seal(std::move(record));
  group.batch.records.push_back({lane.id(), sealed.seq, sealed.bytes});
  group.sealed[&lane].push_back(std::move(sealed));
}

void Unwritten::add(Group& group, Checkpoint note) {
  group.batch.meta.emplace_back(std::string(kCheckpointPrefix) + note.key, note.value);
  group.notes.push_back(std::move(note));
}

void Unwritten::add(Group& group, Moves moves) {
  for (const auto& [key, move] : moves) {
    group.batch.meta.emplace_back(key, move.removed ? std::string() : encode(move.cursor->state()));
    group.moved[key] = {move, move.cursor->state().next};
  }
}

// Diverted records were sealed first, so they lead their lane's records of the group.
void Unwritten::settle_diverted(const Group& group) {
  for (const auto& [lane, seq] : group.diverted)
    for (const StoredRecord& record : group.sealed.at(lane))
      if (record.seq == seq) pending_[lane] -= record.attributes.units;
}

// Nothing of the group counts. Its diverted records go in front of those that came since, in their old order.
void Unwritten::take_back(Group group) {
  std::deque<Divert> again;
  for (const auto& [lane, seq] : group.diverted) {
    for (const StoredRecord& record : group.sealed[lane]) {
      if (record.seq != seq) continue;
      lane->signal().divert_bytes += record.bytes->size();
      again.push_back({lane, {std::string(*record.bytes), record.attributes}});
    }
  }
  diverts_.insert(diverts_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
  // A cursor that moved again since, or was given up, is there already.
  for (const auto& [key, place] : group.moved)
    if (!group.births)
      moved_.emplace(key, place.move);
    else if (!moved_.contains(key) || !moved_.at(key).removed)
      born_.emplace(key, place.move);
  (group.births ? born_lanes_ : changed_).insert(group.changed.begin(), group.changed.end());
}

std::uint64_t Unwritten::pending_units(const Lane& lane) const {
  const auto it = pending_.find(&lane);
  return it == pending_.end() ? 0 : it->second;
}

}  // namespace tideover::wal
