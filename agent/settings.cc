#include "agent/settings.h"

#include <algorithm>
#include <optional>
#include <sys/resource.h>

#include "agent/check/facts.h"
#include "agent/check/memory_plan.h"

namespace tideover {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// Of all signals, on the disk.
constexpr std::uint64_t kBacklogBelowFloor = wal::SignalLimits().flow_bytes;

// Descriptors that no client gets: tables and logs of the store, connections to receivers, name lookups. A
// store that could open no file would refuse everybody.
constexpr std::uint64_t kDescriptorsKept = 128;
constexpr std::uint64_t kLogFilesMost = 256;     // files of logs that are open, for the containers that write
constexpr std::uint64_t kAdminConnections = 32;  // of each of the two admin servers
constexpr std::uint64_t kConnectionsLeast = 8;

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return NodeFacts{}.descriptors;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// Data beyond the receiver's window is an operator's mistake to repair within hours: a quarter holds as much
// as a quarter of the longest outage. Refused records are for looking at.
DiskBudget budget_of(const std::optional<config::Size>& written, const NodeFacts& node, config::Size most) {
  DiskBudget budget;
  budget.max_bytes = written.value_or(config::default_max_bytes({node.file_system_bytes}, most)).bytes;
  budget.parked_max_bytes = budget.max_bytes / 4;
  budget.rejects_max_bytes = std::min(budget.max_bytes / 16, 16 * kMiB);
  return budget;
}

}  // namespace

NodeFacts look_at_node(const std::string& data_dir) {
  NodeFacts facts;
  facts.memory_limit_bytes = check::cgroup_memory_limit().value_or(0);
  if (const auto disk = check::look_at_disk(data_dir)) facts.file_system_bytes = disk->size_bytes;
  facts.descriptors = raise_descriptor_limit();
  facts.kubernetes = check::in_kubernetes();
  return facts;
}

Settings derive(const config::Config& config, const NodeFacts& node, const Sharers& sharers) {
  Settings settings;
  const config::KeepFree keep_free = config::keep_free(config.disk, node.kubernetes);
  settings.wal.keep_free_ratio = keep_free.share.ratio;
  settings.wal.keep_free_bytes_max = keep_free.most.bytes;

  const check::MemoryPlan plan = check::plan_memory(config, node.memory_limit_bytes, sharers.listeners);
  const auto share = [&plan](std::uint64_t bytes) {
    return static_cast<std::uint64_t>(static_cast<double>(bytes) * plan.part);
  };
  const auto part = [&share, &sharers](std::uint64_t bytes) {
    return share(bytes) / std::max<std::size_t>(sharers.signals, 1);
  };
  settings.signal.fresh_bytes = part(6 * kMiB);
  settings.signal.waiting_bytes = part(16 * kMiB);
  settings.signal.flow_bytes = kBacklogBelowFloor / std::max<std::size_t>(sharers.signals, 1);
  settings.memtable_bytes = share(8 * kMiB);
  settings.inflight_bytes = plan.inflight_bytes;
  settings.intake_server.inflight_bytes = plan.own_part_bytes;
  settings.intake_server.body_bytes = plan.body_bytes;
  settings.memory_shortfall = check::shortfall(plan);

  if (config.metrics) settings.metrics = budget_of(config.metrics->max_bytes, node, config::kMostForMetrics);
  if (config.logs) settings.logs = budget_of(config.logs->max_bytes, node, config::kMostForLogs);

  if (config.logs && !config.logs->files.empty())
    settings.log_files_open =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(node.descriptors / 16, 16, kLogFilesMost));
  const std::uint64_t kept = kDescriptorsKept + 2 * settings.log_files_open;
  const std::uint64_t for_clients = node.descriptors > kept ? node.descriptors - kept : 0;
  const auto connections = [for_clients](std::uint64_t wanted, std::uint64_t parts) {
    return static_cast<std::size_t>(std::clamp(for_clients / parts, kConnectionsLeast, wanted));
  };
  settings.intake_server.connections = connections(settings.intake_server.connections, 2);
  settings.admin_server.connections = connections(kAdminConnections, 4);
  settings.admin_server.body_bytes = 64 << 10;
  settings.admin_server.inflight_bytes = kMiB;
  return settings;
}

log::Options log_options(const config::Config& config) {
  return {.format = config.log.format, .level = config.log.level};
}

}  // namespace tideover
