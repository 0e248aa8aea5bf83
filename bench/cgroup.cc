#include "bench/cgroup.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <utility>

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPeriodUs = 100'000;  // the kernel's default, and Kubernetes'

// In one write(2), as the kernel's files want it.
Result<void> put(const fs::path& file, const std::string& text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!written)
    return fail(Errc::io_error,
                fmt::format("cannot write {} to {}: {}", text, file.string(), std::strerror(error)));
  return {};
}

std::uint64_t number_in(const fs::path& file) {
  std::uint64_t number = 0;
  std::ifstream(file) >> number;
  return number;
}

// From lines of "key number".
std::uint64_t number_in(const fs::path& file, std::string_view key) {
  std::ifstream lines(file);
  std::string name;
  for (std::uint64_t number; lines >> name >> number;) {
    if (name == key) return number;
  }
  return 0;
}

bool has_word(const fs::path& file, const std::string& wanted) {
  std::ifstream words(file);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// "4:memory:/a/b" gives "a/b" for memory.
std::optional<fs::path> group_of_self(const fs::path& self, const std::string& controller) {
  std::ifstream lines(self);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string number, controllers, path;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name == controller) return fs::path(path).relative_path();
    }
  }
  return std::nullopt;
}

Result<void> make_directory(const fs::path& group) {
  std::error_code error;
  fs::create_directory(group, error);
  if (error) return fail(Errc::io_error, fmt::format("cannot make {}: {}", group.string(), error.message()));
  return {};
}

}  // namespace

Result<Cgroup> Cgroup::make(const std::string& name, const CgroupLimits& limits, const CgroupRoots& roots) {
  const bool unified = has_word(roots.mount / "cgroup.controllers", "memory");
  Cgroup group(unified ? 2 : 1);
  const auto made = unified ? group.make_v2(name, limits, roots) : group.make_v1(name, limits, roots);
  if (made.has_error()) return made.error();
  return group;
}

// The cpu controller comes in only with a limit: by itself it already changes how the agent shares the CPU
// with the generator.
Result<void> Cgroup::make_v1(const std::string& name, const CgroupLimits& limits, const CgroupRoots& roots) {
  std::vector<std::string> controllers{"memory", "cpuacct"};
  if (limits.cpu_millis != 0) controllers.push_back("cpu");
  for (const std::string& controller : controllers) {
    const auto own = group_of_self(roots.self, controller);
    if (!own || !fs::exists(roots.mount / controller)) {
      return fail(Errc::io_error,
                  fmt::format("no control groups for {} below {}", controller, roots.mount.string()));
    }
    const fs::path group = roots.mount / controller / *own / name;
    if (const auto made = make_directory(group); made.has_error()) return made.error();
    groups_[controller] = group;
  }
  if (limits.memory_bytes != 0) {
    const auto set = put(groups_["memory"] / "memory.limit_in_bytes", fmt::format("{}", limits.memory_bytes));
    if (set.has_error()) return set;
  }
  if (limits.cpu_millis == 0) return {};
  const auto period = put(groups_["cpu"] / "cpu.cfs_period_us", fmt::format("{}", kPeriodUs));
  if (period.has_error()) return period;
  return put(groups_["cpu"] / "cpu.cfs_quota_us", fmt::format("{}", limits.cpu_millis * kPeriodUs / 1000));
}

Result<void> Cgroup::make_v2(const std::string& name, const CgroupLimits& limits, const CgroupRoots& roots) {
  std::vector<std::string> controllers{"memory"};
  if (limits.cpu_millis != 0) controllers.push_back("cpu");
  for (const std::string& controller : controllers) {
    if (has_word(roots.mount / "cgroup.subtree_control", controller)) continue;
    const auto enabled = put(roots.mount / "cgroup.subtree_control", "+" + controller);
    if (enabled.has_error()) return enabled;
  }
  const fs::path group = roots.mount / name;
  if (const auto made = make_directory(group); made.has_error()) return made.error();
  groups_[""] = group;
  if (limits.memory_bytes != 0) {
    const auto set = put(group / "memory.max", fmt::format("{}", limits.memory_bytes));
    if (set.has_error()) return set;
  }
  if (limits.cpu_millis == 0) return {};
  return put(group / "cpu.max", fmt::format("{} {}", limits.cpu_millis * kPeriodUs / 1000, kPeriodUs));
}

Cgroup::Cgroup(Cgroup&& other) noexcept
    : version_(other.version_), groups_(std::exchange(other.groups_, {})) {}

Cgroup::~Cgroup() {
  for (const auto& [controller, group] : groups_) ::rmdir(group.c_str());
}

std::vector<fs::path> Cgroup::entrances() const {
  std::vector<fs::path> files;
  for (const auto& [controller, group] : groups_) files.push_back(group / "cgroup.procs");
  return files;
}

CgroupUsage Cgroup::usage() const {
  CgroupUsage usage;
  if (version_ == 2) {
    const fs::path& group = groups_.at("");
    const fs::path stat = group / "cpu.stat";
    usage.memory_peak_bytes = number_in(group / "memory.peak");  // Linux 5.19 and later
    usage.oom_kills = number_in(group / "memory.events", "oom_kill");
    usage.cpu_s = static_cast<double>(number_in(stat, "usage_usec")) / 1e6;
    usage.periods = number_in(stat, "nr_periods");
    usage.throttled_periods = number_in(stat, "nr_throttled");
    usage.throttled_s = static_cast<double>(number_in(stat, "throttled_usec")) / 1e6;
    return usage;
  }
  usage.memory_peak_bytes = number_in(groups_.at("memory") / "memory.max_usage_in_bytes");
  usage.oom_kills = number_in(groups_.at("memory") / "memory.oom_control", "oom_kill");
  usage.cpu_s = static_cast<double>(number_in(groups_.at("cpuacct") / "cpuacct.usage")) / 1e9;
  if (const auto cpu = groups_.find("cpu"); cpu != groups_.end()) {
    const fs::path stat = cpu->second / "cpu.stat";
    usage.periods = number_in(stat, "nr_periods");
    usage.throttled_periods = number_in(stat, "nr_throttled");
    usage.throttled_s = static_cast<double>(number_in(stat, "throttled_time")) / 1e9;
  }
  return usage;
}

Result<std::uint32_t> parse_cpu(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool millis = parsed.ptr + 1 == end && *parsed.ptr == 'm';
  if (parsed.ec != std::errc{} || number == 0 || number > 1'000'000 || (parsed.ptr != end && !millis))
    return fail(Errc::bad_input, text + " is no amount of CPU such as 300m or 2");
  return millis ? number : number * 1000;
}

}  // namespace tideover::bench
