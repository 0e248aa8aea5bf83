#include "agent/reexec.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

#include "agent/log/log.h"

namespace tideover {
namespace {

// The kernel's own name for the image that runs.
constexpr const char* kProgram = "/proc/self/exe";

sigset_t answered_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) ::sigaddset(&signals, signal);
  return signals;
}

int failed(const std::string& why) {
  log::event(log::Level::error, "the agent could not be started again in place", {{"because", why}});
  log::flush();
  return 1;
}

}  // namespace

void hold_signals() {
  const sigset_t signals = answered_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void release_signals() {
  const sigset_t signals = answered_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

Result<> can_restart() {
  if (::access(kProgram, X_OK) == 0) return {};
  return fail(Errc::io_error, fmt::format("{} cannot be executed: {}", kProgram, std::strerror(errno)));
}

int restart(const Inheritance& inheritance) {
  ::alarm(0);  // it outlives execve()
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words(std::istreambuf_iterator<char>(file), {});
  file.close();
  std::vector<char*> argv;
  for (std::size_t at = 0; at < words.size(); at += std::strlen(words.data() + at) + 1)
    argv.push_back(words.data() + at);
  argv.push_back(nullptr);
  if (const Result<> left = bequeath(inheritance); !left) return failed(left.error().detail);
  ::execv(kProgram, argv.data());
  return failed(std::strerror(errno));
}

}  // namespace tideover
