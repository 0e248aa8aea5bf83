// How a lane of parked data is gone through, so that what no window will ever admit holds up nothing behind
// it, and the disk is not rewritten without end. Pure.
//
// At rest the oldest batch is tried each minute, and stays where it is when nothing of it passes: the lane
// keeps the order in which it was parked. In a round every batch that was in the lane when the round began
// has one turn, and what is refused again goes to the lane's end, behind the others, in order: when the round
// is over the lane is in its old order, without what has passed. A round begins when an operator asks, when
// anything has passed, and now and then by itself: rounds in vain grow rare, and take a tenth of the time at
// most. The one that follows a round in vain begins with a close look, down to the last item, at what lies in
// front; the next one does not. So a lane of which every request holds something that will never pass is
// taken apart in known time.
#pragma once

#include <cstdint>

#include "wal/base/clock.h"

namespace tideover::forward {

struct RoundLimits {
  Duration rest_min = std::chrono::seconds(60);
  Duration rest_max = std::chrono::hours(1);
};

class Rounds {
 public:
  explicit Rounds(const RoundLimits& limits) : limits_(limits), rest_(limits.rest_min) {}

  enum class Place : std::uint8_t {
    stays,   // the batch, as if it had not been tried
    moves,   // what is refused again goes to the end of the lane
    begins,  // the same, and a round begins: it ends where the lane ends now
  };
  // A batch has had its turn.
  struct Turn {
    std::uint64_t passed;   // settled, in the measure of `refused`
    std::uint64_t refused;  // not settled
    bool close;             // it was looked at closely
  };
  Place after_turn(Turn turn, Time now);

  void spent(Duration time) { turn_spent_ += time; }  // on a request that was refused, the usual gap included
  void ask() { asked_ = true; }                       // an operator wants all of it tried
  bool asked() const { return asked_; }
  bool on() const { return on_; }
  bool due(Time now) const { return on_ || asked_ || now >= next_; }
  // The next turn would begin a round, and a close look is what the last one has not had.
  bool begins_close(Time now) const { return !on_ && close_next_ && due(now); }
  void came_round(Time now);  // the batch at hand lies behind the round's end
  void emptied();             // nothing is left

 private:
  const RoundLimits limits_;
  bool on_ = false;
  bool asked_ = false;
  bool passed_ = false;      // something, in this round
  bool close_ = false;       // this round began with a close look
  bool close_next_ = false;  // the next one does
  Duration turn_spent_{};
  Duration spent_{};  // in this round, in vain; time in which nothing was sent is none of it
  Duration rest_;
  Time next_{};  // a round is due
};

}  // namespace tideover::forward
