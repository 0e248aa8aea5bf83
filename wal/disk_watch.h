// What the file system has free, looked at once in a while, less what was written since: free space changes
// without us, by other writers and by compaction.
//
// Executor: io; the looking is a job on the write worker.
#pragma once

#include <cstdint>
#include <functional>

#include "wal/base/clock.h"
#include "wal/base/worker.h"
#include "wal/limits.h"
#include "wal/metrics.h"
#include "wal/retention.h"
#include "wal/store.h"

namespace tideover::wal {

class DiskWatch {
 public:
  // `look` runs before each look. All references outlive the watch.
  DiskWatch(Store& store, Worker& writer, Clock& clock, const WalLimits& limits, const WalMetrics& metrics,
            std::function<void()> look)
      : store_(store),
        writer_(writer),
        clock_(clock),
        limits_(limits),
        metrics_(metrics),
        look_(std::move(look)) {}
  ~DiskWatch() { stop(); }

  void start(const StoreUsage& usage);
  void stop();

  const StoreUsage& usage() const { return usage_; }
  DiskFill fill() const;

 private:
  void wait();

  Store& store_;
  Worker& writer_;
  Clock& clock_;
  const WalLimits& limits_;
  const WalMetrics& metrics_;
  const std::function<void()> look_;
  StoreUsage usage_;
  std::uint64_t appended_at_usage_ = 0;
  Clock::TimerId timer_ = 0;
  bool stopped_ = false;
};

}  // namespace tideover::wal
