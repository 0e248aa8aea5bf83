#include "agent/admin/survivability.h"

#include <algorithm>

namespace tideover::admin {
namespace {

constexpr double kWindowSeconds = 300;

}  // namespace

void Survivability::observe(Time now, std::uint64_t appended_bytes) {
  if (!last_ || appended_bytes < last_bytes_) {  // less than before: the store has lost some to damage
    last_ = now;
    last_bytes_ = appended_bytes;
    return;
  }
  const double elapsed = std::chrono::duration<double>(now - *last_).count();
  if (elapsed <= 0) return;
  const double rate = static_cast<double>(appended_bytes - last_bytes_) / elapsed;
  // Until a window has been seen this is the plain mean, so that the first minutes are not weighed down by a
  // zero.
  observed_ = std::min(observed_ + elapsed, kWindowSeconds);
  rate_ += (rate - rate_) * std::min(1.0, elapsed / observed_);
  last_ = now;
  last_bytes_ = appended_bytes;
}

void Survivability::skip(Time now, std::uint64_t appended_bytes) {
  last_ = now;
  last_bytes_ = appended_bytes;
}

std::optional<double> Survivability::seconds(std::uint64_t room_bytes) const {
  if (bytes_per_second() < 1) return std::nullopt;
  return static_cast<double>(room_bytes) / bytes_per_second();
}

}  // namespace tideover::admin
