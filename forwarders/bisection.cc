#include "forwarders/bisection.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace tideover::forward {
namespace {

constexpr std::uint32_t kSpare = 16;
constexpr std::uint32_t kFaultsPerBatch = 8;
constexpr std::uint32_t kSiblingsTried = 4;
constexpr std::uint32_t kAfterRefusedBatch = 2;

}  // namespace

void Bisection::start(std::size_t items, bool whole) {
  if (active_) return;
  const auto levels = static_cast<std::uint32_t>(std::bit_width(std::max<std::size_t>(items, 1) - 1));
  active_ = true;
  per_fault_ = 2 * levels + kSpare;
  until_ = per_fault_;
  without_pass_max_ = last_refused_whole_ ? kAfterRefusedBatch : levels + kSiblingsTried;
  if (whole) per_fault_ = until_ = without_pass_max_ = std::numeric_limits<std::uint32_t>::max();
  sends_ = 0;
  passes_ = 0;
}

void Bisection::close(bool refused_whole) {
  last_refused_whole_ = active_ ? passes_ == 0 : refused_whole;
  active_ = false;
}

void Bisection::culprit_found() {
  if (per_fault_ == std::numeric_limits<std::uint32_t>::max()) return;
  until_ = std::min(sends_ + per_fault_, kFaultsPerBatch * per_fault_);
}

bool Bisection::refused_whole() const { return active_ && passes_ == 0 && sends_ >= without_pass_max_; }

bool Bisection::exhausted() const { return refused_whole() || (active_ && sends_ >= until_); }

}  // namespace tideover::forward
