// A destination's place in a lane, in memory: position, ledger, and what its last read laid before it.
//
// Pure bookkeeping: no I/O. Every advance goes through settle(), which keeps the ledger closed by
// construction: what the sender does not name as lost or diverted, and what was not damaged, was delivered.
// What the disk says may be damaged in any way, totals included: it is counted, and never a reason to end.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "wal/absence.h"
#include "wal/layout.h"
#include "wal/queue.h"
#include "wal/queue_state.h"

namespace tideover::wal {

class Cursor {
 public:
  Cursor(std::string name, const CursorState& state)
      : name_(std::move(name)), state_(state), durable_next_(state.next) {}

  const std::string& name() const { return name_; }
  const CursorState& state() const { return state_; }

  // Where a crash would find it: set by the committer when a group with its state is durable.
  Seq durable_next() const { return durable_next_; }
  void made_durable(Seq next) { durable_next_ = next; }

  // Turns what was read behind the cursor into a batch, as lay_out() of layout.h does: nullopt means read on.
  std::optional<Batch> lay_out(std::vector<StoredRecord> records, Seq next, const LaneState& tail);

  // Moves the cursor. `ack.upto` is the start or the end of a record of the last batch laid out, or its
  // `next`. Returns how many damaged records were passed; nullopt, and nothing done, when the cursor was
  // trimmed since.
  std::optional<std::uint64_t> apply(const Ack& ack, std::uint64_t diverted_units);

  // Of the records before `before` some may be sent after newer ones.
  void mark_overtaken(Seq before) { state_.overtaken_before = std::max(state_.overtaken_before, before); }

  // Drops what was read behind the cursor as beyond its budget. Returns the damaged records passed; nullopt,
  // and nothing done, as lay_out.
  std::optional<std::uint64_t> trim(std::vector<StoredRecord> records, Seq next, const LaneState& tail);

  // While it is away, what comes to the lane is none of its own; durable with the move that follows.
  void leave(const LaneState& tail) { wal::leave(state_, tail); }
  void come_back(const LaneState& tail) { wal::come_back(state_, tail); }

  // Everything up to the lane's tail is given up by an operator.
  void give_up(const LaneState& tail);

 private:
  std::uint64_t settle(const Boundary& reached, const Ack& ack, std::uint64_t diverted_units);

  const std::string name_;
  CursorState state_;
  Seq durable_next_;
  bool trimmed_ = false;              // since the last batch was laid out
  std::vector<Boundary> boundaries_;  // ascending
};

}  // namespace tideover::wal
