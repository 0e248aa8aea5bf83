#include "tests/crash/agent/agent_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <stdexcept>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tideover::crash {

namespace fs = std::filesystem;

fs::path AgentPlace::log(std::uint32_t life) const { return root / fmt::format("agent-{:03}.log", life); }

// The smallest memory makes the smallest tables, and so the most switches between files.
void AgentPlace::write_config(std::uint16_t receiver_port) const {
  std::ofstream(root / "tideover.yaml") << fmt::format(
      R"(cluster: crash
node: crash
data_dir: {}
disk: {{keep_free: 1%}}
memory: {{limit: 64MiB}}
admin: {{listen: "127.0.0.1:{}"}}
metrics:
  listen: 127.0.0.1:{}
  max_bytes: 2GiB
  destinations:
    - {{name: receiver, url: "http://127.0.0.1:{}/api/v1/write"}}
)",
      data().string(), admin_port, write_port, receiver_port);
}

AgentProcess::AgentProcess(const AgentPlace& place, std::uint32_t life,
                           const std::optional<DiskFaults>& faults) {
  const std::string config = (place.root / "tideover.yaml").string();
  const int log = ::open(place.log(life).c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ != 0) {
    ::close(log);
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::close_range(3, ~0U, 0);  // a listening socket of the driver's would outlive its being away
  if (faults) {
    ::setenv("LD_PRELOAD", faults->library.c_str(), 1);
    ::setenv("TIDEOVER_DISK_ROOT", place.disk().c_str(), 1);
    ::setenv("TIDEOVER_DISK_GRAVES", (place.root / "graves").c_str(), 1);
    ::setenv("TIDEOVER_DISK_SEED", std::to_string(faults->seed).c_str(), 1);
    ::setenv("TIDEOVER_DISK_CUT", faults->cut.c_str(), 1);
    ::setenv("TIDEOVER_DISK_TROUBLE", faults->trouble.c_str(), 1);
    ::setenv("TIDEOVER_DISK_SYNC_US", std::to_string(faults->sync_us_max).c_str(), 1);
    ::setenv("TIDEOVER_DISK_LIES", faults->lies ? "1" : "0", 1);
    if (!faults->bad_sectors.empty()) ::setenv("TIDEOVER_DISK_BAD", faults->bad_sectors.c_str(), 1);
  }
  ::execl(place.binary.c_str(), "tideover", "run", "--config", config.c_str(), nullptr);
  ::_exit(127);
}

AgentProcess::~AgentProcess() {
  if (status_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void AgentProcess::signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

std::optional<int> AgentProcess::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_;
}

}  // namespace tideover::crash
