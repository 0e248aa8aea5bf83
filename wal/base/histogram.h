// A histogram of seconds with fixed upper bounds, as Prometheus exposes it. Plain numbers: one executor
// writes it.
#pragma once

#include <array>
#include <cstdint>

#include "wal/base/clock.h"

namespace tideover {

struct Histogram {
  static constexpr std::array<double, 12> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                     0.05,   0.1,   0.25,   0.5,   1,    5};
  std::array<std::uint64_t, kBounds.size() + 1> counts{};  // per bucket, not cumulative; the last is +Inf
  double sum = 0;

  void observe(double seconds) {
    std::size_t i = 0;
    while (i < kBounds.size() && seconds > kBounds[i]) ++i;
    ++counts[i];
    sum += seconds;
  }
  void observe(Duration elapsed) { observe(std::chrono::duration<double>(elapsed).count()); }
};

}  // namespace tideover
