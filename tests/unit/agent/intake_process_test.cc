// What an operator learns of the intake: what it turned away, and what the memory does not allow it.
#include <fstream>
#include <string>

#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/agent_process.h"

namespace tideover {
namespace {

struct Intake : AgentProcess {
  int post(const std::string& path) const {
    return answer_of({.socket_path = {}, .host = "127.0.0.1", .port = intake_port}, "POST", path).status;
  }
  bool counted(const std::string& reason, int n) const {
    const std::string line =
        "tideover_receive_rejected_requests_total{signal=\"metrics\",reason=\"" + reason + "\"} ";
    return ask("GET", "/metrics").body.find("\n" + line + std::to_string(n) + "\n") != std::string::npos;
  }
};

TEST_CASE("data sent to a path that is not there is counted, and named in the log once") {
  Intake agent;
  agent.start_and_wait();
  CHECK(agent.counted("not_found", 0));
  for (int i = 0; i < 3; ++i) CHECK(agent.post("/api/v1/wirte") == 404);
  CHECK(agent.counted("not_found", 3));
  CHECK(agent.logged("path=/api/v1/wirte from=127.0.0.1") == 1);
  CHECK(agent.post("//api/v1/write/") == 400);  // it has no body
  CHECK(agent.counted("not_found", 3));
  CHECK(agent.stop() == 0);
}

TEST_CASE("what a small memory limit shrinks is said at the start, and nothing is where it shrinks nothing") {
  const bool small = GENERATE(true, false);
  Intake agent;
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
