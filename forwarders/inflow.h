// How fast new data comes into a lane, in bytes as they leave it: a sender that is slower than this never
// drains a backlog. Pure; looked at once a minute, which evens out the bursts of scrapes.
#pragma once

#include <cstdint>

#include "wal/base/clock.h"

namespace tideover::forward {

class Inflow {
 public:
  void accepted(Time now, std::uint64_t units);         // by the lane, since it exists
  void sent(std::uint64_t bytes, std::uint64_t units);  // in one request: what a unit weighs on the wire

  double bytes_per_s() const;     // zero until known
  double bytes_per_unit() const;  // likewise

 private:
  bool begun_ = false;
  Time looked_at_{};
  std::uint64_t units_then_ = 0;
  double units_per_s_ = 0;
  double bytes_ = 0;  // means, of requests
  double units_ = 0;
};

}  // namespace tideover::forward
