#include "bench/process.h"

#include <catch2/catch.hpp>
#include <signal.h>

#include "bench/disk.h"
#include "tests/support/temp_directory.h"

using namespace tideover;
using namespace tideover::bench;
using namespace std::chrono_literals;

namespace {

// A child with a filter is its own process: counting needs neither root nor a particular program.
Result<SyncCounts> syncs_of(const std::string& script, const std::filesystem::path& directory) {
  auto counter = SyncCounter::make();
  if (counter.has_error()) return counter.error();
  Surroundings surroundings;
  surroundings.syncs = &*counter;
  auto process = Process::start({"sh", "-c", script}, directory / "log", surroundings);
  if (process.has_error()) return process.error();
  const auto ended = process->stop(0, 60s);  // signal 0: only waits
  if (ended.has_error()) return ended.error();
  return counter->counts();
}

}  // namespace

TEST_CASE("every sync of a process and of its children is counted, by kind") {
  const TempDirectory directory;
  const std::string file = directory / "file";
  const auto counts = syncs_of("for i in 1 2 3; do dd if=/dev/zero of=" + file +
                                   " bs=1 count=1 conv=fdatasync 2>/dev/null; done;"
                                   " dd if=/dev/zero of=" +
                                   file + " bs=1 count=1 conv=fsync 2>/dev/null",
                               directory.path());
  REQUIRE(counts.has_value());
  CHECK(counts->fdatasync == 3);
  CHECK(counts->fsync == 1);
  CHECK(counts->other == 0);
}

TEST_CASE("a process that syncs nothing counts nothing") {
  const TempDirectory directory;
  const auto counts = syncs_of("true", directory.path());
  REQUIRE(counts.has_value());
  CHECK(counts->all() == 0);
}

TEST_CASE("a process that cannot enter its group does not start outside of it") {
  const TempDirectory directory;
  Surroundings surroundings;
  surroundings.cgroup_entrances = {directory / "missing/cgroup.procs"};
  auto process = Process::start({"true"}, directory / "log", surroundings);
  REQUIRE(process.has_value());
  CHECK(process->stop(0, 60s).has_error());
}

TEST_CASE("what a process wrote, and how often it woke up, is the difference of two looks") {
  const ProcessUsage before{.user_s = 1,
                            .system_s = 2,
                            .run_s = 3.0625,
                            .written_bytes = 100,
                            .wake_ups = 5,
                            .preemptions = 1,
                            .read_write_calls = 7};
  const ProcessUsage after{.user_s = 1.5,
                           .system_s = 2.25,
                           .run_s = 3.75,
                           .rss_peak_bytes = 900,
                           .written_bytes = 300,
                           .wake_ups = 8,
                           .preemptions = 3,
                           .read_write_calls = 17,
                           .threads = 4};
  const ProcessUsage usage = between(before, after);
  CHECK(usage.cpu_s() == Approx(0.75));
  CHECK(usage.run_s == Approx(0.6875));
  CHECK(usage.rss_peak_bytes == 900);
  CHECK(usage.written_bytes == 200);
  CHECK(usage.context_switches() == 5);
  CHECK(usage.read_write_calls == 10);
  CHECK(usage.threads == 4);
}

TEST_CASE("stored bytes are those of all files below, in blocks") {
  const TempDirectory directory;
  CHECK(stored_bytes(directory.path()) == 0);
  const TempDirectory log_directory;
  auto process =
      Process::start({"sh", "-c",
                      "mkdir " + directory / "sub" + " && dd if=/dev/zero of=" + directory / "sub/file" +
                          " bs=65536 count=2 conv=fsync"},
                     log_directory / "log");
  REQUIRE(process.has_value());
  REQUIRE(process->stop(0, 60s).has_value());
  CHECK(stored_bytes(directory.path()) >= 2 * 65536);
}

TEST_CASE("a directory in memory is refused as a place for measurements") {
  CHECK(must_be_on_disk("/proc").has_value());  // not a disk either, but nobody can put data there
  const auto refused = must_be_on_disk("/dev/shm");
  REQUIRE(refused.has_error());
  CHECK(refused.error().detail.find("lies in memory") != std::string::npos);
  CHECK(must_be_on_disk("/does/not/exist").has_error());
}
