// How many lines one call site may write: pure, the clock is passed in.
#pragma once

#include <chrono>
#include <cstdint>

namespace tideover::log {

class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint32_t kLines = 10;
  static constexpr std::chrono::seconds kWindow{10};

  // False: leave the line out; it is counted.
  bool allow(Time now) {
    if (now >= window_end_) {
      window_end_ = now + kWindow;
      written_ = 0;
    }
    if (written_ < kLines) {
      ++written_;
      return true;
    }
    ++left_out_;
    return false;
  }

  // What was left out, once the window is over; then counting begins anew.
  std::uint64_t take_left_out(Time now) {
    if (left_out_ == 0 || now < window_end_) return 0;
    const auto count = left_out_;
    left_out_ = 0;
    return count;
  }

 private:
  Time window_end_ = Time::min();
  std::uint32_t written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace tideover::log
