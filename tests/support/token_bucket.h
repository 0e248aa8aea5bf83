// golang.org/x/time/rate: a bucket that is full at first, all or nothing.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tideover::test {

class TokenBucket {
 public:
  bool allow(std::int64_t now_ns, double n, double rate, double burst) {
    if (last_ns_ < 0) tokens_ = burst;
    if (last_ns_ >= 0 && now_ns > last_ns_) tokens_ += static_cast<double>(now_ns - last_ns_) * 1e-9 * rate;
    tokens_ = std::min(tokens_, burst);
    last_ns_ = std::max(last_ns_, now_ns);
    if (n > tokens_) return false;
    tokens_ -= n;
    return true;
  }

 private:
  double tokens_ = 0;
  std::int64_t last_ns_ = -1;
};

}  // namespace tideover::test
