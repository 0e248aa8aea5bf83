// From what the operator wrote and what the node is to the numbers the parts run with: pure.
#pragma once

#include <cstdint>

#include "agent/config/config.h"
#include "agent/log/log.h"
#include "agent/server/http_server.h"
#include "wal/limits.h"

namespace tideover {

// What the node offers, looked up once at the start.
struct NodeFacts {
  std::uint64_t file_system_bytes = 0;   // of the data directory
  std::uint64_t memory_limit_bytes = 0;  // of the cgroup; 0: none
  std::uint64_t descriptors = 1 << 20;   // that the process may open
  bool kubernetes = false;               // a kubelet runs it, and evicts by share of the disk
};

// Raises the process's own limit of descriptors as far as it may.
NodeFacts look_at_node(const std::string& data_dir);

struct Settings {
  wal::WalLimits wal;
  wal::SignalLimits signal;  // of each signal: none can refuse another's data
  std::uint64_t metrics_max_bytes = 0;
  std::uint64_t parked_max_bytes = 0;   // per destination, beside the budget above
  std::uint64_t rejects_max_bytes = 0;  // per destination
  std::uint64_t memtable_bytes = 0;
  server::ServerLimits intake_server;  // of each signal's
  server::ServerLimits admin_server;
};

// `signals`: how many are on. They share the memory in equal parts.
Settings derive(const config::Config& config, const NodeFacts& node, std::size_t signals = 1);
log::Options log_options(const config::Config& config);

}  // namespace tideover
