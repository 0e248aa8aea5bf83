#include "forwarders/inflow.h"

#include <chrono>

namespace tideover::forward {
namespace {

constexpr Duration kLookInterval = std::chrono::minutes(1);
constexpr double kLookWeight = 0.5;
constexpr double kRequestWeight = 0.1;

}  // namespace

void Inflow::accepted(Time now, std::uint64_t units) {
  if (begun_ && now - looked_at_ < kLookInterval) return;
  if (begun_ && units >= units_then_) {
    const double rate =
        static_cast<double>(units - units_then_) / std::chrono::duration<double>(now - looked_at_).count();
    units_per_s_ = units_per_s_ == 0 ? rate : units_per_s_ + kLookWeight * (rate - units_per_s_);
  }
  begun_ = true;
  looked_at_ = now;
  units_then_ = units;
}

void Inflow::sent(std::uint64_t bytes, std::uint64_t units) {
  bytes_ += kRequestWeight * (static_cast<double>(bytes) - bytes_);
  units_ += kRequestWeight * (static_cast<double>(units) - units_);
}

double Inflow::bytes_per_unit() const { return units_ > 0 ? bytes_ / units_ : 0; }

double Inflow::bytes_per_s() const { return units_per_s_ * bytes_per_unit(); }

}  // namespace tideover::forward
