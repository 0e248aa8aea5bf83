// What the operating system says about this process, for /metrics.
#pragma once

#include <cstdint>

namespace tideover::admin {

struct ProcessFigures {
  double cpu_seconds = 0;  // user and system, all threads
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_bytes_max = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

ProcessFigures process_figures();  // reads /proc; zeros where it cannot be read

}  // namespace tideover::admin
