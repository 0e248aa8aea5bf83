// What is to become durable beside what is appended, and the groups that are made of both: one atomic batch
// each. What is born is a group of its own before the next records: see StoreBatch::anchor. A group of which
// nothing counts is taken back, and waits again.
//
// Bookkeeping on the io executor, without I/O. Lanes and cursors outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "wal/cursor.h"
#include "wal/lane.h"
#include "wal/queue.h"
#include "wal/store.h"
#include "wal/waiting_line.h"

namespace tideover::wal {

struct CursorMove {
  Cursor* cursor;
  bool removed;
};

// What is written together, and whom it concerns.
struct Group {
  std::uint64_t number = 0;
  StoreBatch batch;
  std::map<Lane*, std::vector<StoredRecord>> sealed;
  std::vector<Waiting> waiters;                 // their records are in `sealed`
  std::vector<std::pair<Lane*, Seq>> diverted;  // which of `sealed` were diverted, to put them back
  struct Place {
    CursorMove move;
    Seq next;
  };
  std::map<std::string, Place> moved;
  std::set<Lane*> changed;  // without a record of theirs
  bool births = false;
  std::vector<Checkpoint> notes;
};

class Unwritten {
 public:
  using ValueOf = std::function<LaneValue(const Lane&)>;  // of a lane, as sealed

  explicit Unwritten(ValueOf value_of) : value_of_(std::move(value_of)) {}

  void start_from(std::uint64_t number) { number_ = number; }  // of the last group

  // As Committer has them.
  void divert(Lane& lane, NewRecord record);
  void born(Lane& lane);
  void born(Lane& lane, Cursor& cursor);
  void changed(Lane& lane);
  void moved(const Lane& lane, Cursor& cursor);
  void forget(Lane& lane, Cursor& cursor);

  bool empty() const;
  bool births() const { return !born_lanes_.empty(); }

  Group form_births();
  Group form(std::vector<Waiting> waiters);  // of everything but births

  void settle_diverted(const Group& group);  // it is durable
  void take_back(Group group);               // nothing of it counts

  std::uint64_t pending_units(const Lane& lane) const;  // diverted to it, not durable yet

 private:
  using Moves = std::map<std::string, CursorMove>;  // by meta key
  struct Divert {
    Lane* lane;
    NewRecord record;
  };

  void add(Group& group, Lane& lane, NewRecord record);
  void add(Group& group, Checkpoint note);
  void add(Group& group, Moves moves);

  const ValueOf value_of_;
  std::deque<Divert> diverts_;
  std::map<const Lane*, std::uint64_t> pending_;  // units by lane, for the ledger
  Moves moved_;
  std::set<Lane*> changed_;
  Moves born_;
  std::set<Lane*> born_lanes_;

  std::uint64_t number_ = 0;  // of the last group formed
};

}  // namespace tideover::wal
