// How fast a receiver is fed: as fast as it answers while it is well, gently after an outage.
//
// A rate in bytes per second, increased by a constant per second of success and halved on every sign of
// overload (429, 503, a timeout, an answer much slower than usual): the rule by which many senders that
// cannot see each other share a receiver fairly. Beyond `unlimited` the rate is not held back any more,
// since the receiver's own answers are then the slower of the two.
#pragma once

#include <cstdint>

#include "wal/base/clock.h"

namespace tideover::forward {

struct PaceLimits {
  double start_bytes_per_s = 1 << 20;    // at which a replay begins
  double growth_bytes_per_s2 = 2 << 20;  // gained per second of success
  double floor_bytes_per_s = 64 << 10;   // never less: a backlog must drain
  double unlimited_bytes_per_s = 64 << 20;
  double cap_bytes_per_s = 0;                      // an operator's hard limit; 0: none
  Duration slow_answer = std::chrono::seconds(1);  // an answer faster than this is never a sign of overload
  double slow_factor = 4;                          // nor is one within this multiple of the usual
};

class Pace {
 public:
  explicit Pace(const PaceLimits& limits) : limits_(limits) {}

  void slow_start(Time now);
  void passed(Time now, std::uint64_t bytes, Duration latency);
  void overloaded(Time now);
  void sent(Time now, std::uint64_t bytes);

  Time next_send() const { return next_send_; }  // not before; Time{} when at once
  bool limited() const { return rate_ > 0; }
  double bytes_per_s() const;                        // the limit in force; 0 for none
  double throughput() const { return throughput_; }  // bytes per second lately accepted

 private:
  void limit_to(double rate, Time now);

  const PaceLimits limits_;
  double rate_ = 0;  // 0: not limited
  Time grown_at_{};  // up to when `rate_` has been credited with growth
  Time halved_at_{};
  Time next_send_{};
  Time measured_at_{};
  double throughput_ = 0;
  double usual_latency_s_ = 0;  // slow average of answers that were not slow
};

}  // namespace tideover::forward
