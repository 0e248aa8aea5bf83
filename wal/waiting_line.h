// Appends that wait for their group, a line for each signal: the signals take turns, so that one which floods
// the disk does not make another wait for all of it.
//
// What was asked for without a record (a barrier, a producer's note) is a mark across all lines: everything
// in front of it goes first, everything behind it after.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <vector>

#include "wal/base/clock.h"
#include "wal/base/result.h"
#include "wal/queue.h"
#include "wal/signal.h"

namespace tideover::wal {

class Lane;

struct Waiting {
  Lane* lane = nullptr;  // null: a mark, without a record
  NewRecord record;
  std::vector<Checkpoint> checkpoints;
  std::function<void(Result<>)> done;
  Time since;
};

class WaitingLine {
 public:
  void push(Waiting waiting);
  bool empty() const { return count_ == 0; }

  // What goes into the next group, in its order: records of up to `max_bytes`, and no more of a signal than
  // its limits allow.
  std::vector<Waiting> take(std::uint64_t max_bytes);
  std::vector<Waiting> take_all();

 private:
  struct Place {
    std::uint64_t ticket;
    Waiting waiting;
  };
  struct Line {
    Signal* signal;
    std::deque<Place> places;
    std::uint64_t taken = 0;  // bytes, into the group being formed
  };

  Line& line_of(Signal& signal);
  Line* next_line(std::uint64_t before);
  Waiting pop(std::deque<Place>& places);

  std::vector<Line> lines_;
  std::size_t turn_ = 0;  // the line that is asked next
  std::deque<Place> marks_;
  std::uint64_t tickets_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tideover::wal
