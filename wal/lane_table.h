// The lanes and cursors that are open, and what the store was found to hold of lanes that are not.
//
// Bookkeeping on the io executor, without I/O. Handles and references stay valid as long as the table lives:
// what vanishes is marked, not destroyed, since a sender may still hold it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/notifier.h"
#include "wal/cursor.h"
#include "wal/lane.h"
#include "wal/queue.h"
#include "wal/signal.h"

namespace tideover::wal {

struct OpenCursor {
  OpenCursor(Clock& clock, Lane& lane_of, std::string name, const CursorState& state)
      : lane(lane_of), cursor(std::move(name), state), readable(clock) {}

  Lane& lane;
  Cursor cursor;
  Keep keep = Keep::best_effort;  // until the config names it
  bool trimming = false;          // a batch of its oldest is being read to be dropped
  // What it held when the file system fell below its floor: there it grows no more.
  std::optional<std::uint64_t> held_at_floor;
  bool held_up = false;  // its sender waits for a drop to become durable
  Seq trimmed_to;        // everything before was dropped, or settled, when it was trimmed last
  bool dropped = false;
  std::int64_t oldest_ms = 0;  // arrival of the first record of the last read
  Notifier readable;
};

struct OpenLane {
  OpenLane(std::string name, LaneId id, Signal& signal) : lane(std::move(name), id, signal) {}

  Lane lane;
  LaneOptions options;
  std::vector<OpenCursor*> cursors;
  std::vector<OpenCursor*> leaving;  // given up, and a crash would still find them
  Released released{Seq{1}};         // what the store was told last
  std::uint64_t looks_at_rest = 0;   // since then, with nothing more to release
  std::optional<StoredRecord> head;  // the oldest that was there when the store was opened
  bool cursors_unknown = false;      // damage took the list of its cursors: a new name may be an old one
  bool given_up = false;             // nobody needs anything of it
};

// Found under a number by the opening of the store, first and last.
struct Found {
  std::optional<StoredRecord> head;
  std::optional<StoredRecord> tail;
};

class LaneTable {
 public:
  explicit LaneTable(Clock& clock) : clock_(clock) {}

  OpenLane* find(LaneId id) const;
  OpenLane* find(std::string_view name);
  OpenCursor* find(CursorId id) { return id.value < cursors_.size() ? cursors_[id.value].get() : nullptr; }
  OpenLane& at(LaneId id);
  OpenCursor& at(CursorId id) { return *cursors_.at(id.value); }

  // What the store holds, by number; afterwards a lane takes over what is found under its number.
  void found(std::map<LaneId, Found> found) { found_ = std::move(found); }
  const Found& found(LaneId id) const;

  // `id`: as the lane's own value says. nullopt: the number of its name, or one behind that when another lane
  // has it, or records of another name lie there.
  OpenLane& add(std::string name, std::optional<LaneId> id, Signal& signal);
  CursorId add(OpenLane& lane, std::string name, const CursorState& state, Keep keep);
  // nullopt: no cursor of that name that was not dropped.
  std::optional<CursorId> find(const OpenLane& lane, std::string_view name) const;

  const std::map<LaneId, std::unique_ptr<OpenLane>>& lanes() const { return lanes_; }
  const std::vector<std::unique_ptr<OpenCursor>>& cursors() const { return cursors_; }

 private:
  LaneId take_number(std::string_view name) const;

  Clock& clock_;
  std::map<LaneId, std::unique_ptr<OpenLane>> lanes_;
  std::map<std::string, OpenLane*, std::less<>> by_name_;
  std::vector<std::unique_ptr<OpenCursor>> cursors_;
  std::map<LaneId, Found> found_;
};

// Where a new cursor begins. Pure.
//   now: behind the tail.
//   oldest: at the first record that is sure to be kept, that of the cursor furthest behind. Without a cursor
//   all of the lane was given up, unless nobody knows: see lost_place().
CursorState place_of_new(const OpenLane& lane, StartAt start);
// Where a cursor begins again whose place was lost to damage: at the oldest record that exists. What was
// released before that is not its business, and what is missing behind it may have been released.
CursorState lost_place(const OpenLane& lane);

// What the slowest cursor still needs begins here; behind the tail when there is none.
Seq oldest_needed(const OpenLane& lane);
// All that some cursor still needs, each record once.
Totals held(const OpenLane& lane);
// Bytes that the slowest required cursor still needs, those that wait for their group included; 0 without
// one.
std::uint64_t needed_bytes(const OpenLane& lane);
LaneValue value_of(const OpenLane& lane);

}  // namespace tideover::wal
