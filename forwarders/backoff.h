// Growing gaps between attempts.
//
// A gap doubles from `first` to `cap` and is spread by +-10 %, so that it never falls under 0.8 of the gap
// before it: 0.9 * cap / (1.1 * cap) = 0.82 at the cap, more below. Full jitter would break that bound, which
// remote-write senders are tested for. So narrow a spread would keep a fleet in step; therefore each
// episode also starts at a random point between `first` and twice `first`, and doubling keeps that phase.
#pragma once

#include <chrono>
#include <optional>

#include "wal/base/clock.h"
#include "wal/base/rng.h"

namespace tideover::forward {

struct BackoffLimits {
  Duration first = std::chrono::milliseconds(30);  // a lost connection is usually back at once
  Duration cap = std::chrono::seconds(30);         // a returned receiver is noticed within this
  Duration asked_max = std::chrono::seconds(60);   // what a Retry-After may make of it
};

class Backoff {
 public:
  Backoff(const BackoffLimits& limits, Rng& rng) : limits_(limits), rng_(rng) {}  // `rng` outlives it

  // The gap before the next attempt. `asked` (Retry-After) lengthens it, up to `asked_max`.
  Duration next(std::optional<Duration> asked = std::nullopt);
  void reset();  // after a success

 private:
  const BackoffLimits limits_;
  Rng& rng_;
  Duration base_{};  // zero: no failure yet
  Duration last_{};
};

}  // namespace tideover::forward
