#include "bench/sink.h"

#include <chrono>
#include <cstring>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "bench/sink_server.h"

namespace tideover::bench {
namespace {

constexpr auto kStartMax = std::chrono::seconds(10);

}  // namespace

Result<Sink> Sink::start(bool verify) {
  void* memory =
      ::mmap(nullptr, sizeof(SinkState), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail(Errc::io_error, std::strerror(errno));
  auto* state = new (memory) SinkState;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(Errc::io_error, std::strerror(errno));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // it died before we asked to die with it
    serve_sink(*state, verify);
  }
  Sink sink(state, child);
  const auto deadline = std::chrono::steady_clock::now() + kStartMax;
  while (state->port == 0) {
    if (std::chrono::steady_clock::now() > deadline) return fail(Errc::io_error, "the sink does not listen");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return sink;
}

Sink::Sink(Sink&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)), pid_(std::exchange(other.pid_, -1)) {}

Sink::~Sink() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::munmap(state_, sizeof(SinkState));
}

}  // namespace tideover::bench
