#include "agent/server/slowest.h"

#include <algorithm>

#include "wal/base/invariant.h"

namespace tideover::server {
namespace {

// Of those that hold more than `least`; the last one when there is none.
std::size_t slowest_above(std::span<const Arriving> bodies, double least, double average, Duration patience) {
  const auto pace = [average, patience](const Arriving& body) {
    const Duration time = std::max({body.waited, patience, Duration(1)});
    return std::max(static_cast<double>(body.bytes), average) / static_cast<double>(time.count());
  };
  std::size_t found = bodies.size() - 1;
  double slow = -1;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (static_cast<double>(bodies[i].bytes) <= least || (slow >= 0 && pace(bodies[i]) > slow)) continue;
    found = i;
    slow = pace(bodies[i]);
  }
  return found;
}

}  // namespace

double average(std::span<const Arriving> bodies) {
  double sum = 0;
  for (const Arriving& body : bodies) sum += static_cast<double>(body.bytes);
  return sum / static_cast<double>(std::max<std::size_t>(bodies.size(), 1));
}

std::size_t slowest(std::span<const Arriving> bodies, Duration patience) {
  invariant(!bodies.empty(), "somebody gives way");
  const double part = average(bodies);
  const std::size_t found = slowest_above(bodies, -1, part, patience);
  const bool asks = found + 1 == bodies.size();
  if (asks && is_small(bodies.back().most, part)) return slowest_above(bodies, part, part, patience);
  return found;
}

}  // namespace tideover::server
