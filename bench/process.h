// The agent under test as the kernel sees it: started, measured, ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "bench/sync_counter.h"
#include "wal/base/result.h"

namespace tideover::bench {

struct ProcessUsage {
  double user_s = 0;  // of all threads, in ticks of 10 ms
  double system_s = 0;
  double run_s = 0;                    // the same to the nanosecond, of the threads alive now
  std::uint64_t rss_peak_bytes = 0;    // VmHWM
  std::uint64_t written_bytes = 0;     // to block devices
  std::uint64_t wake_ups = 0;          // voluntary context switches of the threads alive now
  std::uint64_t preemptions = 0;       // the other ones
  std::uint64_t read_write_calls = 0;  // read(2), write(2) and their kin; not sockets' own calls
  std::uint64_t threads = 0;

  double cpu_s() const { return user_s + system_s; }
  std::uint64_t context_switches() const { return wake_ups + preemptions; }
};

// Peaks and counts of threads are those of `after`.
ProcessUsage between(const ProcessUsage& before, const ProcessUsage& after);

struct Surroundings {
  std::vector<std::filesystem::path> cgroup_entrances;
  SyncCounter* syncs = nullptr;  // counts its syncs when there is one
};

ProcessUsage usage_of(pid_t pid);  // zeros once it is gone

class Process {
 public:
  // Output goes to `log`. Dies with us. Errors: io_error.
  static Result<Process> start(const std::vector<std::string>& command, const std::filesystem::path& log,
                               const Surroundings& surroundings = {});

  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();  // kills it

  pid_t pid() const { return pid_; }
  ProcessUsage usage() const { return usage_of(pid_); }
  bool running() const;

  // Sends `signal` and waits. Its CPU seconds from start to end. Errors: timeout; io_error when it failed.
  Result<double> stop(int signal, std::chrono::seconds timeout);

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

std::uint16_t free_port();  // on 127.0.0.1; nobody holds it, so take it soon

// Blocking. True once GET `target` there answers 200.
bool wait_until_ready(std::uint16_t port, const std::string& target, const Process& process,
                      std::chrono::seconds timeout);

}  // namespace tideover::bench
