// What was read of a lane and is not acknowledged yet. The batch in flight is the first of it.
//
// Place: between the queue, which it reads, and LaneSender, which says when and how much. Executor: io.
// Life: that of its LaneSender; the queue outlives it. Nothing in it need be durable: what it forgets is
// read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "wal/base/result.h"
#include "wal/queue.h"

namespace tideover::forward {

class LaneWindow {
 public:
  LaneWindow(wal::Queue& queue, wal::CursorId cursor) : queue_(queue), cursor_(cursor) {}

  std::span<const wal::StoredRecord> at_hand() const { return std::span(records_).subspan(front_); }
  // First number behind the first so many of what is at hand, damaged ones included.
  Seq end_of(std::size_t records) const;

  // Anew, from the cursor on: what it held is in the queue. With an error nothing is at hand. Errors: as
  // Queue::read(), and not_found for a cursor that an operator has dropped.
  awaitable<Result<>> fill(std::uint64_t max_bytes);

  // What is at hand once more, and what is behind it. False when the queue has dropped some of it to keep a
  // budget: what is at hand stays, and is forfeited. With an error it stays as well.
  awaitable<Result<bool>> extend(std::uint64_t more_bytes);
  // The queue forgot the borders of what is at hand: it would not know what an acknowledgement means.
  bool forfeited() const { return forfeited_; }

  void release(Seq upto);  // what is before it was acknowledged
  void forget();           // what is left of it is to be read again

 private:
  wal::Queue& queue_;
  const wal::CursorId cursor_;
  std::vector<wal::StoredRecord> records_;
  std::size_t front_ = 0;  // what is before it was released
  Seq end_;                // first number behind all of it
  bool forfeited_ = false;
};

}  // namespace tideover::forward
