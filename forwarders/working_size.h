// The size of request that the receiver takes: halved by 413, remembered, regained slowly.
#pragma once

#include <cstdint>

#include "forwarders/destination.h"

namespace tideover::forward {

class WorkingSize {
 public:
  explicit WorkingSize(const RequestLimits& limits) : limits_(limits), units_(limits.units) {}

  RequestLimits limits() const;
  // Below the configured size: then even a lone record must keep to it.
  bool reduced() const { return units_ < limits_.units; }
  std::uint64_t units() const { return units_; }

  void refused(std::uint64_t units);  // 413 for a request of so many
  void passed(std::uint64_t units);

 private:
  const RequestLimits limits_;
  std::uint64_t units_;
  std::uint32_t full_passes_ = 0;  // requests in a row that used what is allowed
};

}  // namespace tideover::forward
