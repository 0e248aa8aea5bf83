#include "forwarders/rounds.h"

#include <algorithm>
#include <utility>

namespace tideover::forward {
namespace {

constexpr int kRestPerRound = 9;

}  // namespace

Rounds::Place Rounds::after_turn(bool passed, bool refused, Time now) {
  if (on_) {
    passed_ = passed_ || passed;
    return Place::moves;
  }
  if (passed) next_ = {};  // the window has moved: whatever waits is worth its turn
  if (!refused) return Place::moves;
  if (!asked_ && now < next_) return Place::stays;
  on_ = true;
  asked_ = false;
  passed_ = passed;
  spent_ = {};
  return Place::begins;
}

void Rounds::came_round(Time now) {
  on_ = false;
  rest_ = passed_ ? limits_.rest_min : std::min(2 * rest_, limits_.rest_max);
  next_ = now + std::max(rest_, kRestPerRound * spent_);
}

void Rounds::emptied() {
  on_ = false;
  asked_ = false;
  rest_ = limits_.rest_min;
  next_ = {};
}

}  // namespace tideover::forward
