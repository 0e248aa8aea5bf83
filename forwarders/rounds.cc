#include "forwarders/rounds.h"

#include <algorithm>
#include <utility>

namespace tideover::forward {
namespace {

constexpr int kRestPerRound = 9;

}  // namespace

Rounds::Place Rounds::after_turn(Turn turn, Time now) {
  // What found the bad among the good, or told what is refused for good, was not spent in vain.
  const double in_vain = static_cast<double>(turn.refused) / static_cast<double>(turn.passed + turn.refused);
  const auto spent = std::chrono::duration_cast<Duration>(std::exchange(turn_spent_, {}) * in_vain);
  const bool passed = turn.passed > 0;
  if (on_) {
    passed_ = passed_ || passed;
    spent_ += spent;
    return Place::moves;
  }
  if (passed) {  // the window has moved: whatever waits is worth its turn, in full requests
    next_ = {};
    close_next_ = false;
  }
  if (turn.refused == 0) return Place::moves;
  if (!asked_ && now < next_) return Place::stays;
  on_ = true;
  asked_ = false;
  passed_ = passed;
  close_ = turn.close;
  spent_ = {};
  return Place::begins;
}

void Rounds::came_round(Time now) {
  on_ = false;
  close_next_ = !passed_ && !close_;
  rest_ = passed_ ? limits_.rest_min : std::min(2 * rest_, limits_.rest_max);
  next_ = now + std::max(rest_, kRestPerRound * spent_);
}

void Rounds::emptied() {
  on_ = false;
  asked_ = false;
  turn_spent_ = {};
  close_next_ = false;
  rest_ = limits_.rest_min;
  next_ = {};
}

}  // namespace tideover::forward
