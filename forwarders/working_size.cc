#include "forwarders/working_size.h"

#include <algorithm>
#include <utility>

namespace tideover::forward {
namespace {

// A receiver whose limit stands is asked too much once in 64 requests.
constexpr std::uint32_t kPassesToGrowLast = 64;

}  // namespace

RequestLimits WorkingSize::limits() const {
  if (!reduced()) return limits_;
  RequestLimits scaled = limits_;
  scaled.units = units_;
  scaled.raw_bytes = std::max<std::uint64_t>(1, limits_.raw_bytes * units_ / limits_.units);
  return scaled;
}

void WorkingSize::halve(std::uint64_t units) {
  if (units == 0) return;  // all of it was metadata: that says nothing of how many units are too many
  units_ = std::max<std::uint64_t>(1, std::min(units_, units) / 2);
  full_passes_ = 0;
}

void WorkingSize::refused(std::uint64_t units) {
  halve(units);
  passes_to_grow_ = kPassesToGrowLast;
}

void WorkingSize::unanswered(std::uint64_t units) {
  halve(units);
  if (std::exchange(grown_, false)) passes_to_grow_ = std::min(2 * passes_to_grow_, kPassesToGrowLast);
}

void WorkingSize::passed(std::uint64_t units) {
  if (units * 4 < units_ * 3) return;
  if (!reduced()) passes_to_grow_ = kPassesToGrowFirst;
  if (!reduced() || ++full_passes_ < passes_to_grow_) return;
  full_passes_ = 0;
  grown_ = true;
  units_ = std::min(limits_.units, 2 * units_);
}

void WorkingSize::forget() {
  units_ = limits_.units;
  full_passes_ = 0;
}

}  // namespace tideover::forward
