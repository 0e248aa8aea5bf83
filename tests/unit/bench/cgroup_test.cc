#include "bench/cgroup.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temp_directory.h"

using namespace tideover;
using namespace tideover::bench;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

std::string read(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A directory in place of the kernel's file system: the kernel makes a group's files with the group, so the
// test makes them before.
struct FakeMount {
  TempDirectory directory;
  CgroupRoots roots{directory / "mount", directory / "self"};

  fs::path operator/(const char* path) const { return roots.mount / path; }
};

}  // namespace

TEST_CASE("version 2 sets cpu.max and memory.max in a group at the top") {
  const FakeMount mount;
  write(mount / "cgroup.controllers", "cpuset cpu io memory pids\n");
  write(mount / "cgroup.subtree_control", "cpu memory\n");
  write(mount / "bench/cpu.max", "");
  write(mount / "bench/memory.max", "");
  write(mount / "bench/cpu.stat",
        "usage_usec 2500000\nnr_periods 60\nnr_throttled 7\nthrottled_usec 1500000\n");
  write(mount / "bench/memory.peak", "33554432\n");
  write(mount / "bench/memory.events", "low 0\nmax 4\noom 1\noom_kill 1\n");

  const auto cgroup =
      Cgroup::make("bench", {.cpu_millis = 300, .memory_bytes = std::uint64_t{160} << 20}, mount.roots);
  REQUIRE(cgroup.has_value());
  CHECK(cgroup->version() == 2);
  CHECK(read(mount / "bench/cpu.max") == "30000 100000");
  CHECK(read(mount / "bench/memory.max") == "167772160");
  CHECK(cgroup->entrances() == std::vector<fs::path>{mount / "bench/cgroup.procs"});

  const CgroupUsage usage = cgroup->usage();
  CHECK(usage.memory_peak_bytes == 33554432);
  CHECK(usage.cpu_s == Approx(2.5));
  CHECK(usage.periods == 60);
  CHECK(usage.throttled_periods == 7);
  CHECK(usage.throttled_s == Approx(1.5));
  CHECK(usage.oom_kills == 1);
}

TEST_CASE("version 1 sets the quota and the limit below the group of this process") {
  const FakeMount mount;
  write(mount.roots.self, "4:memory:/pod/x\n2:cpuacct:/\n1:cpu:/\n0::/\n");
  write(mount / "memory/pod/x/bench/memory.limit_in_bytes", "");
  write(mount / "memory/pod/x/bench/memory.max_usage_in_bytes", "4096\n");
  write(mount / "cpu/bench/cpu.cfs_quota_us", "");
  write(mount / "cpu/bench/cpu.cfs_period_us", "");
  write(mount / "cpu/bench/cpu.stat", "nr_periods 9\nnr_throttled 2\nthrottled_time 500000000\n");
  write(mount / "cpuacct/bench/cpuacct.usage", "1250000000\n");

  const auto cgroup = Cgroup::make("bench", {.cpu_millis = 2000, .memory_bytes = 8192}, mount.roots);
  REQUIRE(cgroup.has_value());
  CHECK(cgroup->version() == 1);
  CHECK(read(mount / "cpu/bench/cpu.cfs_quota_us") == "200000");
  CHECK(read(mount / "cpu/bench/cpu.cfs_period_us") == "100000");
  CHECK(read(mount / "memory/pod/x/bench/memory.limit_in_bytes") == "8192");
  CHECK(cgroup->entrances().size() == 3);
  const CgroupUsage usage = cgroup->usage();
  CHECK(usage.memory_peak_bytes == 4096);
  CHECK(usage.cpu_s == Approx(1.25));
  CHECK(usage.throttled_periods == 2);
  CHECK(usage.throttled_s == Approx(0.5));
}

TEST_CASE("without a limit of CPU the group does not change how the CPU is shared") {
  const FakeMount mount;
  write(mount.roots.self, "4:memory:/\n2:cpuacct:/\n1:cpu:/\n");
  write(mount / "memory/memory.stat", "");
  write(mount / "cpuacct/cpuacct.usage", "");
  const auto cgroup = Cgroup::make("bench", {}, mount.roots);
  REQUIRE(cgroup.has_value());
  CHECK(cgroup->entrances() ==
        std::vector<fs::path>{mount / "cpuacct/bench/cgroup.procs", mount / "memory/bench/cgroup.procs"});
}

TEST_CASE("where there are no control groups the error says which is missing, and nothing is left behind") {
  const FakeMount mount;
  write(mount.roots.self, "4:memory:/\n");
  write(mount / "memory/memory.stat", "");
  const auto cgroup = Cgroup::make("bench", {.cpu_millis = 300}, mount.roots);
  REQUIRE(cgroup.has_error());
  CHECK(cgroup.error().detail.find("cpuacct") != std::string::npos);
  CHECK_FALSE(fs::exists(mount / "memory/bench"));
}

TEST_CASE("a group is gone when its object is") {
  const FakeMount mount;
  write(mount.roots.self, "4:memory:/\n2:cpuacct:/\n");
  write(mount / "memory/memory.stat", "");
  write(mount / "cpuacct/cpuacct.usage", "");
  {
    const auto cgroup = Cgroup::make("bench", {}, mount.roots);
    REQUIRE(cgroup.has_value());
    CHECK(fs::exists(mount / "memory/bench"));
  }
  CHECK_FALSE(fs::exists(mount / "memory/bench"));
  CHECK_FALSE(fs::exists(mount / "cpuacct/bench"));
}

TEST_CASE("an amount of CPU is written as Kubernetes writes it") {
  CHECK(parse_cpu("300m").value() == 300);
  CHECK(parse_cpu("2").value() == 2000);
  for (const char* text : {"", "m", "0", "0m", "1.5", "300k", "-1", "300mm"}) {
    INFO(text);
    CHECK(parse_cpu(text).has_error());
  }
}
