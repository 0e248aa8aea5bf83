#include "bench/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <map>

namespace tideover::bench {
namespace {

std::filesystem::path default_prometheus() {
  if (const char* bin = std::getenv("PEERS_BIN")) return std::filesystem::path(bin) / "prometheus";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "" : home) / ".cache/tideover/peers/prometheus";
}

}  // namespace

std::optional<Options> parse(int argc, char** argv, int& exit_code) {
  Options options;
  options.run.directory = "/var/tmp";
  options.run.subject.prometheus = default_prometheus();
  std::vector<std::string> subjects{"tideover", "prometheus"};
  int version = 1;
  std::int64_t seconds = 30;
  std::int64_t drain_max_s = options.run.drain_max.count();
  std::vector<std::string> sink_phases;
  std::string cpu;

  CLI::App app("Samples per CPU-second of an agent, from intake to forwarded.", "tideover-bench");
  // What comes later on the command line wins, so that a script's options can be overridden behind them.
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--subject", subjects, "agents to measure, one after the other")
      ->check(CLI::IsMember({"tideover", "prometheus", "prometheus-tuned"}))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--rounds", options.rounds, "times to measure all of them in turn")
      ->check(CLI::Range(1, 100));
  app.add_option("--seconds", seconds, "length of the load")->check(CLI::Range(1, 3600));
  app.add_option("--samples", options.run.load.samples_max, "ends the load earlier, at so many samples");
  app.add_option("--rate", options.run.load.samples_per_second, "samples per second; 0: flat out");
  app.add_option("--connections", options.stream.connections, "each with one request in flight")
      ->check(CLI::Range(1, 1000));
  app.add_option("--samples-per-request", options.stream.samples_per_request)->check(CLI::Range(1, 10000));
  app.add_option("--remote-write", version, "version of the message, in and out: 1 or 2")
      ->check(CLI::IsMember({1, 2}));
  app.add_flag("--synthetic", options.synthetic, "a made-up stream instead of the captured one");
  app.add_option("--series", options.synthetic_source.series, "of the made-up stream");
  app.add_option("--labels", options.synthetic_source.labels, "of each of its series");
  app.add_option("--label-bytes", options.synthetic_source.label_bytes, "name and value of a label together");
  app.add_option("--churn", options.synthetic_source.churn,
                 "share of the made-up series that a repetition of the stream replaces")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--rest", options.run.rest, "no load: what the agent costs while nothing happens");
  app.add_option("--idle-connections", options.run.idle_connections, "that say nothing; with --rest")
      ->check(CLI::Range(0, 10000));
  app.add_option("--sink", sink_phases,
                 "a receiver that fails or is slow: off, 503 (or another status) or slow=MS, each with "
                 ":FROM..UNTIL seconds or :FROM.. (to the end of the load) behind it")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--cpu", cpu, "limit for the agent, set in a control group: 300m or 2");
  app.add_option("--memory", options.run.limits.memory_bytes, "limit for the agent: 160MiB")
      ->transform(CLI::AsSizeValue(false));
  app.add_flag("--count-syncs", options.run.count_syncs,
               "counts fdatasync and its kin; slows the agent, so not for figures of speed");
  app.add_option("--scenario", options.scenario, "a name for the results");
  app.add_flag("--verify", options.run.verify,
               "also checks that every sample arrives exactly once, unaltered and in its series' order");
  app.add_option("--dir", options.run.directory, "directory on a real disk for the agents' data and logs");
  app.add_option("--tideover", options.run.subject.tideover, "its binary");
  app.add_option("--prometheus", options.run.subject.prometheus, "its binary");
  app.add_option("--drain-seconds", drain_max_s, "time given to forward what is left after the load");
  app.add_option("--profile", options.run.profile,
                 "perf.data to write while it runs (one subject, one round)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }

  const auto refuse = [&](const std::string& sentence) {
    fmt::print(stderr, "tideover-bench: {}\n", sentence);
    exit_code = 2;
    return std::nullopt;
  };
  for (const std::string& text : sink_phases) {
    const auto phase = parse_sink_phase(text);
    if (phase.has_error()) return refuse(phase.error().detail);
    options.run.sink.push_back(*phase);
  }
  if (!cpu.empty()) {
    const auto millis = parse_cpu(cpu);
    if (millis.has_error()) return refuse(millis.error().detail);
    options.run.limits.cpu_millis = *millis;
  }
  const std::map<std::string, SubjectKind> kinds{{"tideover", SubjectKind::tideover},
                                                 {"prometheus", SubjectKind::prometheus},
                                                 {"prometheus-tuned", SubjectKind::prometheus_tuned}};
  for (const std::string& name : subjects) options.subjects.push_back(kinds.at(name));
  options.stream.version = version == 1 ? remote_write::Version::v1 : remote_write::Version::v2;
  options.run.subject.version = options.stream.version;
  options.run.load.duration = std::chrono::seconds(seconds);
  options.run.drain_max = std::chrono::seconds(drain_max_s);
  return options;
}

}  // namespace tideover::bench
