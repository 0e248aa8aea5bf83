// Somebody who has no business with the agent, or does not know how to ask: requests that must be refused
// exactly, and must cost nobody else anything.
#pragma once

#include "tests/sim/source.h"

namespace tideover::sim {

class Stranger {
 public:
  // All outlive the stranger.
  Stranger(SimClock& clock, Rng rng, Oracle& oracle, Source::Wire wire)
      : clock_(clock), rng_(rng), oracle_(oracle), wire_(std::move(wire)) {}

  void start();
  void stop() { active_ = false; }

 private:
  void knock();

  SimClock& clock_;
  Rng rng_;
  Oracle& oracle_;
  Source::Wire wire_;
  bool active_ = false;
};

}  // namespace tideover::sim
