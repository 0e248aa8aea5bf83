// Who gives way when the bodies that arrive do not fit into memory: the slowest, not the newest.
#pragma once

#include <cstddef>
#include <span>

#include "wal/base/clock.h"

namespace tideover::server {

struct Arriving {
  Duration waited;    // since its request began
  std::size_t bytes;  // that it holds, or wants to
  std::size_t most;   // that it can come to
};

double average(std::span<const Arriving> bodies);  // bytes

// So much less than the average that it is worth more to serve it than to have begun another.
inline bool is_small(std::size_t bytes, double average) { return static_cast<double>(bytes) <= average / 2; }

// The index of the body that comes slowest, by its bytes for the time that it has kept us waiting; among
// equals the last, who is the one that asks. A body that is smaller than the average counts as average: it is
// not slow for being small. In its first moments, `patience`, none is taken for quicker than another.
// Who asks for a body that stays small is served all the same: of those that hold more than the average the
// slowest gives way, so that a few with much cannot crowd out many with little. Pure; of one at least.
std::size_t slowest(std::span<const Arriving> bodies, Duration patience);

}  // namespace tideover::server
