#include "forwarders/answer_time.h"

#include <algorithm>
#include <chrono>

namespace tideover::forward {
namespace {

constexpr std::uint32_t kAnswersThatCount = 5;  // more or less; the newest weighs as one of so many

using Seconds = std::chrono::duration<double>;

}  // namespace

void AnswerTime::learn(std::uint64_t bytes, Duration taken) {
  answers_ = std::min(answers_ + 1, kAnswersThatCount);
  bytes_ += (static_cast<double>(bytes) - bytes_) / answers_;
  seconds_ += (Seconds(taken).count() - seconds_) / answers_;
}

Duration AnswerTime::usual(std::uint64_t bytes) const {
  const double larger = bytes_ > 0 ? static_cast<double>(bytes) / bytes_ : 1.0;
  return std::chrono::duration_cast<Duration>(Seconds(seconds_ * std::max(1.0, larger)));
}

std::optional<std::uint64_t> AnswerTime::bytes_within(Duration time) const {
  constexpr double kMost = 1e15;
  if (seconds_ <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(std::min(kMost, bytes_ * Seconds(time).count() / seconds_));
}

}  // namespace tideover::forward
