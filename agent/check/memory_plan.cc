#include "agent/check/memory_plan.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/check/human.h"

namespace tideover::check {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kMemoryLeast = 48 * kMiB;

// As docs/INTAKE.md promises them.
constexpr std::uint64_t kInflightBytes = 24 * kMiB;
constexpr std::uint64_t kBodyBytes = 8 * kMiB;

}  // namespace

MemoryPlan plan_memory(const config::Config& config, std::uint64_t cgroup_limit, std::size_t listeners) {
  std::uint64_t memory = kPromisedMemoryBytes;
  if (cgroup_limit != 0) memory = std::min(memory, cgroup_limit);
  if (config.memory.limit) memory = config.memory.limit->bytes;
  MemoryPlan plan;
  plan.part = static_cast<double>(std::clamp(memory, kMemoryLeast, kPromisedMemoryBytes)) /
              static_cast<double>(kPromisedMemoryBytes);
  plan.inflight_bytes = static_cast<std::uint64_t>(static_cast<double>(kInflightBytes) * plan.part);
  // A request of any listener fits, whatever the others hold.
  plan.body_bytes = std::min(kBodyBytes, plan.inflight_bytes / std::max<std::size_t>(listeners, 1));
  plan.own_part_bytes = plan.body_bytes;
  return plan;
}

std::string shortfall(const MemoryPlan& plan) {
  std::string text;
  if (plan.inflight_bytes < kInflightBytes)
    text = fmt::format("requests under way share {} instead of {}", human_bytes(plan.inflight_bytes),
                       human_bytes(kInflightBytes));
  if (plan.body_bytes < kBodyBytes)
    text += fmt::format("{}one may have {} instead of {}", text.empty() ? "" : ", and ",
                        human_bytes(plan.body_bytes), human_bytes(kBodyBytes));
  return text;
}

}  // namespace tideover::check
