#include "bench/run.h"

#include <fmt/format.h>
#include <optional>
#include <signal.h>
#include <thread>

#include "bench/sink.h"

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr auto kReadyMax = std::chrono::seconds(60);
constexpr auto kStopMax = std::chrono::seconds(60);
// Work that is put off (cursors made durable, files deleted, garbage collected) counts as well.
constexpr auto kSettle = std::chrono::seconds(1);
constexpr auto kPoll = std::chrono::milliseconds(5);

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

ProcessUsage between(const ProcessUsage& before, const ProcessUsage& after) {
  return {after.user_s - before.user_s, after.system_s - before.system_s, after.rss_peak_bytes,
          after.written_bytes - before.written_bytes, after.context_switches - before.context_switches};
}

bool drain(const SinkState& sink, std::uint64_t samples, const Process& process, std::chrono::seconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (sink.samples < samples) {
    if (steady_clock::now() > deadline || !process.running()) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

void judge(Measurement& m, const SinkState& sink, bool verify) {
  if (!m.load.failure.empty()) m.faults.push_back("load: " + m.load.failure);
  if (m.load.accepted_samples == 0) m.faults.push_back("nothing was accepted");
  if (m.sink_samples != m.load.accepted_samples) {
    m.faults.push_back(
        fmt::format("{} samples accepted, {} forwarded", m.load.accepted_samples, m.sink_samples));
  }
  if (sink.undecodable != 0)
    m.faults.push_back(fmt::format("{} requests undecodable", sink.undecodable.load()));
  if (!verify) return;
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

}  // namespace

Result<Measurement> run(SubjectKind kind, Stream& stream, const RunOptions& options) {
  const Directory directory(options.directory / fmt::format("tideover-bench-{}", ::getpid()));
  auto sink = Sink::start(options.verify);
  if (sink.has_error()) return sink.error();

  SubjectOptions subject_options = options.subject;
  subject_options.sink_port = static_cast<std::uint16_t>(sink->state().port);
  const auto subject = set_up(kind, directory.path(), subject_options);
  if (subject.has_error()) return subject.error();
  const fs::path log = options.directory / fmt::format("{}.log", name_of(kind));
  auto process = Process::start(subject->command, log);
  if (process.has_error()) return process.error();
  if (!wait_until_ready(subject->ready_port, subject->ready_target, *process, kReadyMax)) {
    return fail(Errc::io_error, fmt::format("{} did not become ready, see {}", name_of(kind), log.string()));
  }

  auto profile = start_profile(options, process->pid(), directory.path());
  if (profile.has_error()) return profile.error();
  const ProcessUsage before = process->usage();
  LoadOptions load = options.load;
  load.port = subject->write_port;
  load.target = subject->write_target;
  load.digest = options.verify;
  Measurement m;
  m.subject = kind;
  m.load = run_load(stream, load);

  const auto last_accepted = steady_clock::now();
  if (!drain(sink->state(), m.load.accepted_samples, *process, options.drain_max)) {
    m.faults.push_back("the backlog did not reach zero");
  }
  m.drain_s = std::chrono::duration<double>(steady_clock::now() - last_accepted).count();
  std::this_thread::sleep_for(kSettle);  // and what comes twice has time to come
  m.usage = between(before, process->usage());
  if (*profile) (void)(*profile)->stop(SIGINT, kStopMax);  // perf ends by the signal, which is no success
  m.sink_samples = sink->state().samples;
  m.sink_requests = sink->state().requests;
  m.sink_bytes = sink->state().bytes;
  judge(m, sink->state(), options.verify);

  const auto life_cpu_s = process->stop(SIGTERM, kStopMax);
  if (life_cpu_s.has_error()) {
    m.faults.push_back(fmt::format("{} did not end well: {}", name_of(kind), life_cpu_s.error().detail));
  } else {
    m.life_cpu_s = *life_cpu_s;
  }
  return m;
}

}  // namespace tideover::bench
