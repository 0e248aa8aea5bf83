#include "forwarders/bisection.h"

#include <algorithm>
#include <bit>

namespace tideover::forward {
namespace {

constexpr std::uint32_t kSpare = 16;
constexpr std::uint32_t kFaultsPerBatch = 8;
constexpr std::uint32_t kSiblingsTried = 4;
constexpr std::uint32_t kAfterRefusedBatch = 2;

}  // namespace

void Bisection::start(std::size_t items, std::uint32_t at_least) {
  if (active_) return;
  const auto levels = static_cast<std::uint32_t>(std::bit_width(std::max<std::size_t>(items, 1) - 1));
  active_ = true;
  per_fault_ = 2 * levels + kSpare;
  until_ = std::max(per_fault_, at_least);
  without_pass_max_ = std::max(last_refused_whole_ ? kAfterRefusedBatch : levels + kSiblingsTried, at_least);
  sends_ = 0;
  passes_ = 0;
}

void Bisection::close(bool refused_whole) {
  last_refused_whole_ = active_ ? passes_ == 0 : refused_whole;
  active_ = false;
}

void Bisection::culprit_found() {
  until_ = std::max(until_, std::min(sends_ + per_fault_, kFaultsPerBatch * per_fault_));
}

bool Bisection::refused_whole() const { return active_ && passes_ == 0 && sends_ >= without_pass_max_; }

bool Bisection::exhausted() const { return refused_whole() || (active_ && sends_ >= until_); }

}  // namespace tideover::forward
