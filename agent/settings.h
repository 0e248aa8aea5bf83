// From what the operator wrote and what the node is to the numbers the parts run with: pure.
#pragma once

#include <cstdint>
#include <string>

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

// What one signal may use of the disk; 0: it is off.
struct DiskBudget {
  std::uint64_t max_bytes = 0;
  std::uint64_t parked_max_bytes = 0;   // per destination, beside the budget above
  std::uint64_t rejects_max_bytes = 0;  // per destination
};

struct Settings {
  wal::WalLimits wal;
  wal::SignalLimits signal;  // of each signal: none can refuse another's data
  DiskBudget metrics;
  DiskBudget logs;
  std::size_t log_files_open = 0;  // of logs that are read, at once; while a sweep is committed twice as many
  std::uint64_t memtable_bytes = 0;
  std::uint64_t inflight_bytes = 0;    // bodies under way, of all intakes together
  std::string memory_shortfall;        // what of INTAKE.md's figures does not hold; empty: all do
  server::ServerLimits intake_server;  // of each address
  server::ServerLimits admin_server;
};

// Who shares the memory: signals the store's in equal parts, listening addresses that of requests under way,
// of which each has a part for itself.
struct Sharers {
  std::size_t signals = 1;
  std::size_t listeners = 1;
};

Settings derive(const config::Config& config, const NodeFacts& node, const Sharers& sharers = {});
log::Options log_options(const config::Config& config);

}  // namespace tideover
