// What an operator learns of the intake.
#include <fstream>
#include <string>

#include "tests/unit/agent/agent_process.h"

namespace tideover {
namespace {

TEST_CASE("what a small memory limit shrinks is said at the start, and nothing is where it shrinks nothing") {
  const bool small = GENERATE(true, false);
  AgentProcess agent;
  if (small)
    std::ofstream(agent.config_path, std::ios::app) << "memory: {limit: 64MiB}\n";
  else
    std::ofstream(agent.config_path, std::ios::app) << "memory: {limit: 128MiB}\n";
  agent.start_and_wait();
  CHECK(agent.logged("requests under way share 12.0 MiB instead of 24.0 MiB") == (small ? 1 : 0));
  CHECK(agent.stop() == 0);
}

}  // namespace
}  // namespace tideover
