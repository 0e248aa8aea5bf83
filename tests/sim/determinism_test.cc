#include <catch2/catch.hpp>

#include "tests/sim/swarm.h"

namespace tideover::sim {
namespace {

TEST_CASE("the same seed is the same world, to the last event") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const SwarmReport first = run_swarm(seed, {});
    const SwarmReport second = run_swarm(seed, {});
    CHECK(to_string(first) == to_string(second));
  }
}

TEST_CASE("another seed is another world") { CHECK(run_swarm(1, {}).trace != run_swarm(2, {}).trace); }

}  // namespace
}  // namespace tideover::sim
