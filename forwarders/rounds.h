// How a lane of parked data is gone through, so that what no window will ever admit holds up nothing behind
// it, and the disk is not rewritten without end. Pure.
//
// At rest the oldest batch is tried each minute, and stays where it is when nothing of it passes: the lane
// keeps the order in which it was parked. In a round every batch that was in the lane when the round began
// has one turn, and what is refused again goes to the lane's end, behind the others, in order: when the round
// is over the lane is in its old order, without what has passed. A round begins when an operator asks, when
// anything has passed, and now and then by itself: rounds in vain grow rare, and take a tenth of the time at
// most.
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
  // A batch has had its turn. `passed`: some of it was settled; `refused`: some of it was not.
  Place after_turn(bool passed, bool refused, Time now);

  void spent(Duration time) { spent_ += time; }  // on a request that was refused, its gap included
  void ask() { asked_ = true; }                  // an operator wants all of it tried
  bool asked() const { return asked_; }
  bool on() const { return on_; }
  bool due(Time now) const { return on_ || asked_ || now >= next_; }
  void came_round(Time now);  // the batch at hand lies behind the round's end
  void emptied();             // nothing is left

 private:
  const RoundLimits limits_;
  bool on_ = false;
  bool asked_ = false;
  bool passed_ = false;  // something, in this round
  Duration spent_{};     // in this round; time in which nothing was sent is none of it
  Duration rest_;
  Time next_{};  // a round is due
};

}  // namespace tideover::forward
