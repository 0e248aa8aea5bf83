// tideover-backlog: what a large backlog costs. Fills the agent's buffer over HTTP while the receiver answers
// 503, kills the agent with -9, drops the page cache (as root), starts it again and takes the time: to the
// first 204, to the first replayed request, and, with --drain, until the receiver has counted every sample.
// One JSON.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "bench/disk.h"
#include "bench/load.h"
#include "bench/process.h"
#include "bench/sink.h"
#include "bench/source.h"
#include "bench/stream.h"
#include "bench/subject.h"

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

struct Options {
  double gigabytes = 10;
  bool drain = false;
  fs::path directory = "/var/tmp";
  fs::path tideover = "build/release/tideover";
};

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

bool drop_page_cache() {
  ::sync();
  std::ofstream file("/proc/sys/vm/drop_caches");
  file << "3\n";
  file.close();
  return bool(file);
}

struct Restart {
  double first_204_s = 0;
  double first_replayed_s = 0;
};

// Both clocks run from before the process exists; the sender and the sink are looked at in turn.
Restart time_restart(Stream& stream, const Subject& subject, const SinkState& sink,
                     steady_clock::time_point start) {
  Restart restart;
  const std::uint64_t before = sink.requests;
  while (seconds_since(start) < 120 && (restart.first_204_s == 0 || restart.first_replayed_s == 0)) {
    if (restart.first_204_s == 0) {
      LoadOptions one{.port = subject.write_port, .target = subject.write_target};
      one.duration = std::chrono::seconds(1);
      one.samples_max = 1;
      if (run_load(stream, one).accepted_requests > 0) restart.first_204_s = seconds_since(start);
    }
    if (restart.first_replayed_s == 0 && sink.requests > before)
      restart.first_replayed_s = seconds_since(start);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return restart;
}

Result<bool> measure(const Options& options) {
  if (const auto checked = must_be_on_disk(options.directory); checked.has_error()) return checked.error();
  auto source = capture_source(remote_write::Version::v1);
  if (source.has_error()) return source.error();
  auto stream = prepare(*source, {});
  if (stream.has_error()) return stream.error();
  const fs::path directory = options.directory / fmt::format("tideover-backlog-{}", ::getpid());
  fs::create_directories(directory / "data");
  fs::permissions(directory / "data", fs::perms::owner_all);

  auto sink = Sink::start(false);
  if (sink.has_error()) return sink.error();
  sink->state().status = 503;
  SubjectOptions subject_options;
  subject_options.tideover = options.tideover;
  subject_options.sink_port = static_cast<std::uint16_t>(sink->state().port);
  subject_options.max_bytes = fmt::format("{}GiB", static_cast<int>(options.gigabytes) + 4);
  const auto subject = set_up(SubjectKind::tideover, directory, subject_options);
  if (subject.has_error()) return subject.error();

  auto agent = Process::start(subject->command, directory / "before.log");
  if (agent.has_error()) return agent.error();
  if (!wait_until_ready(subject->ready_port, subject->ready_target, *agent, std::chrono::seconds(60)))
    return fail(Errc::io_error, "the agent did not become ready");
  LoadOptions load{.port = subject->write_port, .target = subject->write_target};
  load.duration = std::chrono::seconds(3600);
  load.may_run_ahead = true;
  load.samples_max = static_cast<std::uint64_t>(
      options.gigabytes * 1e9 * static_cast<double>(stream->samples) / static_cast<double>(stream->bytes));
  const LoadResult filled = run_load(*stream, load);
  if (!filled.failure.empty()) return fail(Errc::io_error, "while filling: " + filled.failure);
  const ProcessUsage outage = agent->usage();
  ::kill(agent->pid(), SIGKILL);
  while (agent->running()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const bool cold = drop_page_cache();

  sink->state().status = 204;
  const auto start = steady_clock::now();
  auto again = Process::start(subject->command, directory / "after.log");
  if (again.has_error()) return again.error();
  const Restart restart = time_restart(*stream, *subject, sink->state(), start);
  const std::uint64_t expected = filled.accepted_samples;
  while (options.drain && sink->state().samples < expected && seconds_since(start) < 3600)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  if (!options.drain) std::this_thread::sleep_for(std::chrono::seconds(20));
  const double elapsed = seconds_since(start);
  const ProcessUsage replay = again->usage();
  fmt::print(
      "{{\"scenario\": \"backlog\", \"subject\": \"tideover\", \"backlog_bytes\": {}, \"backlog_samples\": "
      "{}, \"fill_s\": {:.1f}, \"page_cache_dropped\": {}, "
      "\"first_204_s\": {:.3f}, \"first_replayed_s\": {:.3f}, \"vm_hwm_mib_outage\": {:.1f}, "
      "\"vm_hwm_mib_replay\": {:.1f}, \"replayed_samples\": {}, \"replay_s\": {:.1f}, \"drained\": {}}}\n",
      filled.accepted_bytes, filled.accepted_samples, filled.seconds, cold, restart.first_204_s,
      restart.first_replayed_s, static_cast<double>(outage.rss_peak_bytes) / (1 << 20),
      static_cast<double>(replay.rss_peak_bytes) / (1 << 20), sink->state().samples.load(), elapsed,
      sink->state().samples >= expected);
  const auto stopped = again->stop(SIGTERM, std::chrono::seconds(60));
  if (stopped.has_error()) return stopped.error();
  fs::remove_all(directory);
  return restart.first_204_s > 0 && restart.first_replayed_s > 0 &&
         (!options.drain || sink->state().samples >= expected);
}

}  // namespace
}  // namespace tideover::bench

int main(int argc, char** argv) {
  tideover::bench::Options options;
  CLI::App app{"What a large backlog costs: start, memory, replay."};
  app.add_option("--gigabytes", options.gigabytes, "size of the backlog")->check(CLI::Range(0.01, 100.0));
  app.add_flag("--drain", options.drain, "wait until every sample has been delivered");
  app.add_option("--dir", options.directory, "directory on a real disk");
  app.add_option("--tideover", options.tideover, "its binary");
  CLI11_PARSE(app, argc, argv);
  const auto well = tideover::bench::measure(options);
  if (well.has_error()) {
    fmt::print(stderr, "tideover-backlog: {}\n", well.error().detail);
    return 1;
  }
  return *well ? 0 : 1;
}
