#include "bench/run.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <optional>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "bench/idle.h"
#include "bench/sink.h"
#include "bench/sync_counter.h"

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr auto kReadyMax = std::chrono::seconds(60);
constexpr auto kStopMax = std::chrono::seconds(60);
// Work that is put off (cursors made durable, files deleted, garbage collected) counts as well.
constexpr auto kSettle = std::chrono::seconds(1);
constexpr auto kPoll = std::chrono::milliseconds(5);
// What an agent does after its start and not again is not rest.
constexpr auto kStarted = std::chrono::seconds(5);
// Requests that were in flight at the end of the load are owed, and no more than these.
constexpr double kOwedMax = 0.02;

// A fresh directory, gone at the end.
class Directory {
 public:
  explicit Directory(fs::path path) : path_(std::move(path)) {
    fs::remove_all(path_);
    fs::create_directories(path_ / "data");
    fs::permissions(path_ / "data", fs::perms::owner_all);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool drain(const SinkState& sink, std::uint64_t samples, const Process& process, std::chrono::seconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (sink.samples < samples) {
    if (steady_clock::now() > deadline || !process.running()) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

void judge(Measurement& m, const SinkState& sink, const RunOptions& options) {
  if (!m.load.failure.empty()) m.faults.push_back("load: " + m.load.failure);
  if (m.load.accepted_samples == 0 && !options.rest) m.faults.push_back("nothing was accepted");
  const double due = options.load.samples_per_second * static_cast<double>(options.load.duration.count());
  if (static_cast<double>(m.load.owed_samples) > due * kOwedMax) {
    m.faults.push_back(
        fmt::format("{} samples were due and not accepted: the rate was not held", m.load.owed_samples));
  }
  if (m.sink_samples != m.load.accepted_samples) {
    m.faults.push_back(
        fmt::format("{} samples accepted, {} forwarded", m.load.accepted_samples, m.sink_samples));
  }
  if (sink.undecodable != 0)
    m.faults.push_back(fmt::format("{} requests undecodable", sink.undecodable.load()));
  if (!options.verify) return;
  if (sink.order_faults != 0)
    m.faults.push_back(fmt::format("{} samples out of order", sink.order_faults.load()));
  if (sink.digest != m.load.digest) m.faults.push_back("what was forwarded is not what was accepted");
}

Result<std::optional<Process>> start_profile(const RunOptions& options, pid_t pid,
                                             const fs::path& directory) {
  if (options.profile.empty()) return std::optional<Process>();
  auto perf = Process::start({"perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", "997", "-p",
                              fmt::format("{}", pid), "-o", options.profile.string()},
                             directory / "perf.log");
  if (perf.has_error()) return perf.error();
  return std::optional<Process>(std::move(*perf));
}

// Its own group when it may have one; that it may not is a fault only when there are limits to set.
Result<std::optional<Cgroup>> make_cgroup(const CgroupLimits& limits) {
  auto cgroup = Cgroup::make(fmt::format("tideover-bench-{}", ::getpid()), limits);
  if (!cgroup.has_error()) return std::optional<Cgroup>(std::move(*cgroup));
  if (!limits.any()) return std::optional<Cgroup>();
  return fail(Errc::io_error, "limits cannot be set here: " + cgroup.error().detail);
}

Result<std::optional<SyncCounter>> make_sync_counter(bool wanted) {
  if (!wanted) return std::optional<SyncCounter>();
  auto counter = SyncCounter::make();
  if (counter.has_error()) return counter.error();
  return std::optional<SyncCounter>(std::move(*counter));
}

LoadResult run_rest(std::uint16_t port, const RunOptions& options) {
  LoadResult result;
  const auto rested = stay_connected(port, options.idle_connections, options.load.duration);
  if (rested.has_error()) result.failure = rested.error().detail;
  result.seconds = static_cast<double>(options.load.duration.count());
  return result;
}

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// Load, drain and settling, between two looks at the agent.
void measure(Measurement& m, const Subject& subject, Stream& stream, const RunOptions& options, Sink& sink,
             const Process& process, const fs::path& data) {
  if (options.rest) std::this_thread::sleep_for(kStarted);
  std::atomic<std::uint64_t> accepted_samples{0};
  LoadOptions load = options.load;
  load.port = subject.write_port;
  load.target = subject.write_target;
  load.digest = options.verify;
  load.accepted_samples = &accepted_samples;

  const ProcessUsage before = process.usage();
  const DeviceCounters device_before = device_counters(data);
  const auto start = steady_clock::now();
  SinkDriver driver(options.sink, sink.state(), process, data, accepted_samples);
  m.load = options.rest ? run_rest(subject.write_port, options) : run_load(stream, load);
  const auto load_end = steady_clock::now();
  m.stored_after_load_bytes = stored_bytes(data);
  driver.load_ended();
  if (!drain(sink.state(), m.load.accepted_samples, process, options.drain_max)) {
    m.faults.push_back("the backlog did not reach zero");
  }
  const steady_clock::time_point last_answer{steady_clock::duration(sink.state().last_answer_ns)};
  m.drain_s = std::chrono::duration<double>(std::max(last_answer, load_end) - load_end).count();
  std::this_thread::sleep_for(kSettle);  // and what comes twice has time to come
  m.outages = driver.stop();
  m.usage = between(before, process.usage());
  m.window_s = seconds_since(start);
  const DeviceCounters device = device_counters(data);
  m.device = {device.flushes - device_before.flushes, device.written_bytes - device_before.written_bytes};
  m.stored_at_end_bytes = stored_bytes(data);
  m.sink_samples = sink.state().samples;
  m.sink_requests = sink.state().requests;
  m.sink_bytes = sink.state().bytes;
}

}  // namespace

Result<Measurement> run(SubjectKind kind, Stream& stream, const RunOptions& options) {
  const Directory directory(options.directory / fmt::format("tideover-bench-{}", ::getpid()));
  auto sink = Sink::start(options.verify);
  if (sink.has_error()) return sink.error();
  auto cgroup = make_cgroup(options.limits);
  if (cgroup.has_error()) return cgroup.error();
  auto syncs = make_sync_counter(options.count_syncs);
  if (syncs.has_error()) return syncs.error();

  SubjectOptions subject_options = options.subject;
  subject_options.sink_port = static_cast<std::uint16_t>(sink->state().port);
  const auto subject = set_up(kind, directory.path(), subject_options);
  if (subject.has_error()) return subject.error();
  const fs::path log = options.directory / fmt::format("{}.log", name_of(kind));
  Surroundings surroundings;
  if (*cgroup) surroundings.cgroup_entrances = (*cgroup)->entrances();
  if (*syncs) surroundings.syncs = &**syncs;
  auto process = Process::start(subject->command, log, surroundings);
  if (process.has_error()) return process.error();
  if (!wait_until_ready(subject->ready_port, subject->ready_target, *process, kReadyMax)) {
    return fail(Errc::io_error, fmt::format("{} did not become ready, see {}", name_of(kind), log.string()));
  }

  auto profile = start_profile(options, process->pid(), directory.path());
  if (profile.has_error()) return profile.error();
  Measurement m;
  m.subject = kind;
  measure(m, *subject, stream, options, *sink, *process, directory.path() / "data");
  if (*profile) (void)(*profile)->stop(SIGINT, kStopMax);  // perf ends by the signal, which is no success
  judge(m, sink->state(), options);

  const auto life_cpu_s = process->stop(SIGTERM, kStopMax);
  if (life_cpu_s.has_error()) {
    m.faults.push_back(fmt::format("{} did not end well: {}", name_of(kind), life_cpu_s.error().detail));
  } else {
    m.life_cpu_s = *life_cpu_s;
  }
  if (*cgroup) m.cgroup = (*cgroup)->usage();
  if (*syncs) m.syncs = (*syncs)->counts();
  return m;
}

}  // namespace tideover::bench
