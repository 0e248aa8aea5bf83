// What the agent does with the memory that it is given: the documentation's figures hold at the size that it
// promises to stay under, less memory shrinks them, and more changes nothing. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/config/config.h"

namespace tideover::check {

// What the process promises to stay under, backlog or not.
inline constexpr std::uint64_t kPromisedMemoryBytes = 128 << 20;

struct MemoryPlan {
  double part = 1;                   // of the promised memory, and so of everything that is planned with it
  std::uint64_t inflight_bytes = 0;  // the bodies of all requests under way, of all listeners together
  std::uint64_t own_part_bytes = 0;  // of them what one listener has for itself
  std::uint64_t body_bytes = 0;      // one request
};

// `cgroup_limit`: 0 for none. What the configuration says counts instead of it.
MemoryPlan plan_memory(const config::Config& config, std::uint64_t cgroup_limit, std::size_t listeners);

// What of docs/INTAKE.md does not hold so, in words; empty when all of it does.
std::string shortfall(const MemoryPlan& plan);

}  // namespace tideover::check
