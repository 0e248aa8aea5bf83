// The buffer of a signal as people ask for it: what is in it, how long an outage it would survive, whether
// new data is refused and why; and the lines of log when that changes.
//
// Executor: io.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "agent/admin/snapshot.h"
#include "agent/admin/survivability.h"
#include "agent/settings.h"
#include "wal/queue.h"

namespace tideover {

admin::StoreSnapshot describe_store(const wal::Queue& queue, const wal::WalLimits& limits,
                                    const wal::WalMetrics& metrics);

class BufferWatch {
 public:
  // Of a signal, as the configuration calls it and its units: "metrics", "samples". `guarantee`: the outage
  // that the configuration promises to survive.
  struct Of {
    std::string signal;
    std::string units;
    LaneId lane;
    Duration guarantee;
  };
  // The references outlive this.
  BufferWatch(const wal::Queue& queue, Clock& clock, const wal::WalLimits& limits, Of of)
      : queue_(queue), clock_(clock), limits_(limits), of_(std::move(of)) {}

  // Every few seconds. `refused_bytes`: of the record that was refused last. A buffer is full for the
  // requests that come, not for a byte.
  void observe(std::uint64_t refused_bytes);

  admin::BufferSnapshot describe(std::uint64_t refused_bytes) const;

 private:
  void measure(bool refusing);
  void log_floor();
  void log_refusal(const std::string& refusing);
  void log_guarantee(std::optional<double> survivable_seconds);

  const wal::Queue& queue_;
  Clock& clock_;
  const wal::WalLimits& limits_;
  const Of of_;
  admin::Survivability survivability_;
  bool below_floor_ = false;      // as logged last
  bool refusing_ = false;         // likewise
  bool below_guarantee_ = false;  // likewise
};

}  // namespace tideover
