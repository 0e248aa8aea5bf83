// A control group of the agent's own: what it may use, and what the kernel says that it used.
//
// Version 2 where its controllers are, version 1 where they are mounted one by one. The group is gone when
// the object is. Making one needs root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wal/base/result.h"

namespace tideover::bench {

struct CgroupLimits {
  std::uint32_t cpu_millis = 0;    // thousandths of a core; 0: no limit
  std::uint64_t memory_bytes = 0;  // 0: no limit

  bool any() const { return cpu_millis != 0 || memory_bytes != 0; }
};

struct CgroupUsage {
  std::uint64_t memory_peak_bytes = 0;  // page cache included, whatever the agent needs of it
  double cpu_s = 0;
  std::uint64_t periods = 0;  // of the quota; 0 without one
  std::uint64_t throttled_periods = 0;
  double throttled_s = 0;  // summed over CPUs
  std::uint64_t oom_kills = 0;
};

// Where the kernel's files are; a test has its own.
struct CgroupRoots {
  std::filesystem::path mount = "/sys/fs/cgroup";
  std::filesystem::path self = "/proc/self/cgroup";
};

class Cgroup {
 public:
  // Below the group of this process (version 1), or at the top of the mount (version 2, whose inner groups
  // may not have processes). Errors: io_error with a sentence that says what is missing.
  static Result<Cgroup> make(const std::string& name, const CgroupLimits& limits,
                             const CgroupRoots& roots = {});

  Cgroup(Cgroup&& other) noexcept;
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();  // every process in it must have ended

  int version() const { return version_; }
  std::vector<std::filesystem::path> entrances() const;  // a process that writes "0" into all of them is in
  CgroupUsage usage() const;

 private:
  explicit Cgroup(int version) : version_(version) {}
  Result<void> make_v1(const std::string& name, const CgroupLimits& limits, const CgroupRoots& roots);
  Result<void> make_v2(const std::string& name, const CgroupLimits& limits, const CgroupRoots& roots);

  int version_;
  std::map<std::string, std::filesystem::path> groups_;  // by controller; of version 2 one, named ""
};

// "300m" or "2" (cores). Errors: bad_input.
Result<std::uint32_t> parse_cpu(const std::string& text);

}  // namespace tideover::bench
