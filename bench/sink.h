// The receiver: a process of its own that answers remote_write at once and counts what came. Counting happens
// on an idle thread, so that it takes as little as possible of the CPU that the agent under test could use.
#pragma once

#include <atomic>
#include <cstdint>
#include <sys/types.h>

#include "wal/base/result.h"

namespace tideover::bench {

// Shared memory between the two processes. The sink writes the counts; the other side reads them, and may
// change the first three at any time to make the receiver fail or slow.
struct SinkState {
  std::atomic<int> status{204};
  std::atomic<int> delay_ms{0};
  std::atomic<bool> refuses{false};  // connections; open ones are cut with their next request

  std::atomic<std::uint32_t> port{0};           // 0 until it listens
  std::atomic<std::int64_t> last_answer_ns{0};  // of steady_clock; the last 2xx

  std::atomic<std::uint64_t> requests{0};  // answered 2xx
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::uint64_t> undecodable{0};
  std::atomic<std::uint64_t> order_faults{0};  // these two only when it verifies
  std::atomic<std::uint64_t> digest{0};
};

class Sink {
 public:
  // Forks: call it while the process has one thread. Errors: io_error.
  static Result<Sink> start(bool verify);

  Sink(Sink&& other) noexcept;
  Sink& operator=(Sink&&) = delete;
  ~Sink();  // ends the process

  SinkState& state() { return *state_; }
  pid_t pid() const { return pid_; }

 private:
  Sink(SinkState* state, pid_t pid) : state_(state), pid_(pid) {}

  SinkState* state_;
  pid_t pid_;
};

}  // namespace tideover::bench
