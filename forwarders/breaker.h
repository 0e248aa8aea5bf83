// Is the peer worth asking now? Counts failures in a row, spaces the attempts, and knows since when.
//
// Open: attempts are single probes, one per backoff step. The clock comes in as an argument.
#pragma once

#include <cstdint>
#include <optional>

#include "forwarders/backoff.h"

namespace tideover::forward {

struct BreakerLimits {
  BackoffLimits backoff;
  std::uint32_t opens_after = 3;  // failures in a row; fewer are a hiccup, not an outage
};

class Breaker {
 public:
  Breaker(const BreakerLimits& limits, Rng& rng) : limits_(limits), backoff_(limits.backoff, rng) {}

  void succeeded();
  void failed(Time now, std::optional<Duration> asked = std::nullopt);
  void skip_wait() { next_attempt_ = {}; }  // somebody asks for the next attempt at once

  bool allows(Time now) const { return now >= next_attempt_; }
  Time next_attempt() const { return next_attempt_; }  // Time{} when at once
  bool open() const { return failures_ >= limits_.opens_after; }
  std::uint32_t failures() const { return failures_; }   // in a row
  Time failing_since() const { return failing_since_; }  // of the first of them

 private:
  const BreakerLimits limits_;
  Backoff backoff_;
  std::uint32_t failures_ = 0;
  Time failing_since_{};
  Time next_attempt_{};
};

}  // namespace tideover::forward
