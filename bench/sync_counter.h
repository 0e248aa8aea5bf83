// Counts the system calls by which a process makes files durable, whatever language it is written in: a
// seccomp filter hands each of them to us before the kernel performs it. That costs the process two context
// switches per sync, so that a counting run is not one for figures of speed.
#pragma once

#include <cstdint>
#include <memory>

#include "wal/base/result.h"

namespace tideover::bench {

struct SyncCounts {
  std::uint64_t fdatasync = 0;
  std::uint64_t fsync = 0;
  std::uint64_t other = 0;  // msync, sync_file_range, syncfs, sync

  std::uint64_t all() const { return fdatasync + fsync + other; }
};

class SyncCounter {
 public:
  // Before fork(). Errors: io_error.
  static Result<SyncCounter> make();

  SyncCounter(SyncCounter&& other) noexcept;
  SyncCounter& operator=(SyncCounter&&) = delete;
  ~SyncCounter();  // after the process has ended

  // In the child, before exec(). False when the kernel has no such filter.
  bool filter_self();
  // In the parent, after fork(): counts from now on, on a thread. Errors: io_error when the child did not get
  // its filter.
  Result<void> begin();
  SyncCounts counts() const;

 private:
  struct Shared;
  explicit SyncCounter(std::unique_ptr<Shared> shared);
  std::unique_ptr<Shared> shared_;  // stands still while the thread runs
};

}  // namespace tideover::bench
