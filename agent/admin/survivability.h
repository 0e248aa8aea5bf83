// How long an outage would fit into the buffer: free room divided by the rate at which records come in. Pure.
//
// The rate is an exponentially weighted mean over some minutes: scrapes come in bursts, and a rollout of one
// deployment must not swing the number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "wal/base/clock.h"

namespace tideover::admin {

class Survivability {
 public:
  // `appended_bytes` since the start, ever growing; call every few seconds.
  void observe(Time now, std::uint64_t appended_bytes);

  // The same while records are refused: what comes in then says nothing of what would.
  void skip(Time now, std::uint64_t appended_bytes);
  // At a start, from what was kept before it: in the first minute no less than this is thought to come in.
  void assume(double bytes_per_second) { assumed_ = bytes_per_second; }
  bool begins() const { return observed_ < kFirstSeconds; }

  double bytes_per_second() const { return begins() ? std::max(rate_, assumed_) : rate_; }

  // Seconds until `room_bytes` are filled; nullopt while nothing comes in.
  std::optional<double> seconds(std::uint64_t room_bytes) const;

 private:
  static constexpr double kFirstSeconds = 60;

  std::optional<Time> last_;
  std::uint64_t last_bytes_ = 0;
  double rate_ = 0;
  double assumed_ = 0;
  double observed_ = 0;  // seconds seen so far, up to the window
};

}  // namespace tideover::admin
