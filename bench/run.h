// One measurement: an agent, a stream, a sink, from ready to nothing left to forward.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/cgroup.h"
#include "bench/disk.h"
#include "bench/load.h"
#include "bench/process.h"
#include "bench/sink_driver.h"
#include "bench/sink_schedule.h"
#include "bench/stream.h"
#include "bench/subject.h"
#include "wal/base/result.h"

namespace tideover::bench {

struct RunOptions {
  std::filesystem::path directory;  // on a real disk; a run makes a directory of its own in it
  SubjectOptions subject;
  LoadOptions load;
  bool rest = false;                   // no load at all for `load.duration`
  std::uint32_t idle_connections = 0;  // while at rest
  std::vector<SinkPhase> sink;
  CgroupLimits limits;
  bool count_syncs = false;
  bool verify = false;
  std::chrono::seconds drain_max{300};
  std::filesystem::path profile;  // where perf writes what it sees during load and drain; empty: no profile
};

struct Measurement {
  SubjectKind subject = SubjectKind::tideover;
  LoadResult load;
  ProcessUsage usage;     // from the first request until the last sample was counted, and a second more
  double window_s = 0;    // how long that was
  double life_cpu_s = 0;  // start and end of the process included
  double drain_s = 0;     // from the end of the load to the last request answered
  std::uint64_t sink_samples = 0;
  std::uint64_t sink_requests = 0;
  std::uint64_t sink_bytes = 0;
  std::uint64_t stored_after_load_bytes = 0;
  std::uint64_t stored_at_end_bytes = 0;
  DeviceCounters device;              // of the same window as `usage`
  std::optional<CgroupUsage> cgroup;  // of the whole life
  std::optional<SyncCounts> syncs;    // of the whole life
  std::vector<Outage> outages;
  std::vector<std::string> faults;  // why the figures do not count; empty when they do

  bool valid() const { return faults.empty(); }
  double samples_per_cpu_s() const { return static_cast<double>(load.accepted_samples) / usage.cpu_s(); }
};

// Blocking. Errors: io_error, when it did not come to a measurement; among them limits that cannot be set
// here.
Result<Measurement> run(SubjectKind kind, Stream& stream, const RunOptions& options);

}  // namespace tideover::bench
