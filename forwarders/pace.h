// How fast a receiver is fed: as fast as it answers while it is well, gently after an outage.
//
// A rate in bytes per second, increased by a constant per second of success and halved on every sign of
// overload: 429, 503, a timeout, an answer much slower than those of before, larger ones in proportion. That
// is the rule by which many senders that cannot see each other share a receiver fairly. Beyond `unlimited`
// the rate is not held back any more, since the receiver's own answers are then the slower of the two. A line
// needs no such care: one request is under way at a time, and the next one waits for its answer. So a slow
// line is no sign of overload, and what it carries is all used.
#pragma once

#include <cstdint>
#include <functional>

#include "forwarders/answer_time.h"
#include "wal/base/clock.h"

namespace tideover::forward {

struct PaceLimits {
  double start_bytes_per_s = 1 << 20;    // at which a replay begins
  double growth_bytes_per_s2 = 2 << 20;  // gained per second of success
  double floor_bytes_per_s = 64 << 10;   // never less: a backlog must drain
  // Nor less than so many times what comes in anew: at 1.5, a backlog is gone after twice the time in which
  // it came.
  double floor_per_inflow = 1.5;
  double unlimited_bytes_per_s = 64 << 20;
  double cap_bytes_per_s = 0;                      // an operator's hard limit; 0: none
  Duration slow_answer = std::chrono::seconds(1);  // an answer faster than this is never a sign of overload
  double slow_factor = 4;                          // nor is one within this multiple of the usual
  // That a request should take: a third of the time after which an answer is given up, so that one over a
  // line that has become three times slower is still answered.
  Duration comfortable_time = std::chrono::seconds(10);
  // But no less than this: where the answer takes its time whatever the size, smaller requests are only more.
  std::uint64_t comfortable_bytes_min = 64 << 10;
  // What comes in anew, in bytes per second (Inflow); asked whenever the rate is set. Empty: not known.
  std::function<double()> inflow_bytes_per_s;
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

  // The body that a request should have over this line, so that it is answered in good time: what went
  // through lately in `comfortable_time`. Before the first answer the least: a line is not known until it is
  // tried.
  std::uint64_t comfortable_bytes() const;

 private:
  void limit_to(double rate, Time now);

  const PaceLimits limits_;
  double rate_ = 0;  // 0: not limited
  Time grown_at_{};  // up to when `rate_` has been credited with growth
  Time halved_at_{};
  Time next_send_{};
  Time measured_at_{};
  double throughput_ = 0;
  AnswerTime answers_;
};

}  // namespace tideover::forward
