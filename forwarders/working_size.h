// The size of request that the receiver takes: halved when one is too much for it, remembered, and regained
// with success. Soon, where it was only never answered in time, which an outage looks like too; and ever more
// slowly while that happens again, or when the receiver has said that it is too much.
#pragma once

#include <cstdint>

#include "forwarders/destination.h"

namespace tideover::forward {

class WorkingSize {
 public:
  explicit WorkingSize(const RequestLimits& limits) : limits_(limits), units_(limits.units) {}

  RequestLimits limits() const;
  // Below the configured size.
  bool reduced() const { return units_ < limits_.units; }
  std::uint64_t units() const { return units_; }

  void refused(std::uint64_t units);     // 413 for a request of so many
  void unanswered(std::uint64_t units);  // it was never answered, time and again
  void passed(std::uint64_t units);
  void forget();  // even a single item was refused: the size is not what is wrong

 private:
  static constexpr std::uint32_t kPassesToGrowFirst = 8;

  void halve(std::uint64_t units);

  const RequestLimits limits_;
  std::uint64_t units_;
  std::uint32_t passes_to_grow_ = kPassesToGrowFirst;
  std::uint32_t full_passes_ = 0;  // requests in a row that used what is allowed
  bool grown_ = false;             // since it was last halved
};

}  // namespace tideover::forward
