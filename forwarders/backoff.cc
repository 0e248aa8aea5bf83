#include "forwarders/backoff.h"

#include <algorithm>

namespace tideover::forward {
namespace {

constexpr double kSpread = 0.1;
constexpr double kShrinkMin = 0.8;

Duration scaled(Duration duration, double factor) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor));
}

}  // namespace

Duration Backoff::next(std::optional<Duration> asked) {
  base_ = base_ == Duration{} ? scaled(limits_.first, rng_.between(1, 2)) : base_ * 2;
  base_ = std::min(base_, limits_.cap);
  Duration gap = scaled(base_, rng_.between(1 - kSpread, 1 + kSpread));
  if (asked) gap = std::max(gap, std::min(*asked, limits_.asked_max));
  // A Retry-After may come once and then be missing: the next gap must not collapse.
  gap = std::max(gap, scaled(last_, kShrinkMin));
  return last_ = gap;
}

void Backoff::reset() {
  base_ = {};
  last_ = {};
}

}  // namespace tideover::forward
