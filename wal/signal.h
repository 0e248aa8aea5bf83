// What the lanes of one signal share in memory, so that dozens of them cost what one costs and a signal in
// trouble takes nothing from another.
#pragma once

#include <cstdint>
#include <vector>

#include "wal/limits.h"

namespace tideover::wal {

class Lane;

struct Signal {
  explicit Signal(const SignalLimits& signal_limits) : limits(signal_limits) {}

  // The lane with the most fresh records loses its oldest, until all of them fit.
  void make_fresh_fit();

  const SignalLimits limits;
  std::uint64_t waiting_bytes = 0;  // appended, in no group yet
  std::uint64_t divert_bytes = 0;   // set aside by acknowledgements, in no group yet
  std::uint64_t fresh_bytes = 0;
  std::vector<Lane*> lanes;
};

}  // namespace tideover::wal
