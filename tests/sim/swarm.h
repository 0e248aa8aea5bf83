// Chance decides which troubles a world has, and how often: seeds differ in kind, not in luck alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/oracle.h"

namespace tideover::sim {

struct SwarmOptions {
  Duration span = std::chrono::hours(1);
  int crashes = 10;
};

struct SwarmReport {
  std::uint64_t seed = 0;
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  int crashes = 0;
  Account account;
  Coverage coverage;
  std::vector<std::string> violations;
};

SwarmReport run_swarm(std::uint64_t seed, const SwarmOptions& options);

// One line: the seed, what happened, and how to see it again.
std::string to_string(const SwarmReport& report);

}  // namespace tideover::sim
