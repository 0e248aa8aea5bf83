// The composition root: wires the parts in start order, runs them, and takes them down in reverse.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/inheritance/inheritance.h"

namespace tideover {

struct SignalKind;

struct RunOptions {
  std::string config_path;                      // read again on reload
  std::string only;                             // "telemetry", "secrets", or empty for both
  bool expand_env = false;                      // how the file was read, and is read again
  std::optional<Inheritance> inheritance = {};  // of the image that this one replaces
};

// Blocking, until SIGTERM or SIGINT. Returns the exit status: 0 after a clean stop, 1 after a fault.
int run_agent(const config::Config& config, const RunOptions& options);
// With these kinds of signals instead of all that there are.
int run_agent_with(const std::vector<SignalKind>& kinds, const config::Config& config,
                   const RunOptions& options);

}  // namespace tideover
