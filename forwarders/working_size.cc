#include "forwarders/working_size.h"

#include <algorithm>

namespace tideover::forward {
namespace {

// An eighth more after 64 requests: a receiver whose limit stands is asked too much once in 64 requests.
constexpr std::uint32_t kPassesToGrow = 64;
constexpr std::uint64_t kGrowthPart = 8;

}  // namespace

RequestLimits WorkingSize::limits() const {
  if (!reduced()) return limits_;
  RequestLimits scaled = limits_;
  scaled.units = units_;
  scaled.raw_bytes = std::max<std::uint64_t>(1, limits_.raw_bytes * units_ / limits_.units);
  return scaled;
}

void WorkingSize::refused(std::uint64_t units) {
  units_ = std::max<std::uint64_t>(1, std::min(units_, units) / 2);
  full_passes_ = 0;
}

void WorkingSize::passed(std::uint64_t units) {
  if (!reduced() || units * 4 < units_ * 3) return;
  if (++full_passes_ < kPassesToGrow) return;
  full_passes_ = 0;
  units_ = std::min(limits_.units, units_ + std::max<std::uint64_t>(1, units_ / kGrowthPart));
}

}  // namespace tideover::forward
