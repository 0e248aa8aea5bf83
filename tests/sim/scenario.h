// What scripted worlds have in common.
#pragma once

#include <catch2/catch.hpp>

#include "tests/sim/world.h"

namespace tideover::sim {

// One of each version. `rich`: with exemplars, metadata and start timestamps.
inline void add_two_sources(World& world, bool rich = false) {
  world.add_source({.name = "a", .rich = rich});
  world.add_source({.name = "b", .version = remote_write::Version::v2, .histograms = true, .rich = rich});
}

// Everything promised is at the receiver, and nothing was refused on the way.
inline void check_all_arrived(const World& world) {
  const Account account = world.account();
  CHECK(world.violations() == std::vector<std::string>{});
  CHECK(account.acknowledged > 0);
  CHECK(account.stored == account.acknowledged);
}

}  // namespace tideover::sim
