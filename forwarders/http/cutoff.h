// Ends what an object is waiting for when its time is over: armed for a scope, disarmed at its end.
#pragma once

#include <functional>
#include <utility>

#include "wal/base/clock.h"

namespace tideover::http {

class Cutoff {
 public:
  // `cut` makes the wait end, by closing its socket; it must stay callable for the scope.
  Cutoff(Clock& clock, Time when, std::function<void()> cut)
      : clock_(clock), timer_(clock.call_at(when, [this, cut = std::move(cut)] {
          timer_ = 0;
          fired_ = true;
          cut();
        })) {}
  Cutoff(const Cutoff&) = delete;
  Cutoff& operator=(const Cutoff&) = delete;
  ~Cutoff() {
    if (timer_ != 0) clock_.cancel(timer_);
  }

  bool fired() const { return fired_; }

 private:
  Clock& clock_;
  bool fired_ = false;
  Clock::TimerId timer_;
};

}  // namespace tideover::http
