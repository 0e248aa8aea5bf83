// tideover-sim: runs worlds until one breaks a promise.
//
//   tideover-sim [--seeds N] [--from S] [--hours H] [--crashes C] [--keep-going] [--coverage [--json]]
//                [--verbose]
//
// Exit status: 0 when every seed kept every promise, and all there is was reached if that was asked for; 1
// when not (the seed is printed); 2 on bad usage.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/sim/swarm.h"

namespace {

volatile std::sig_atomic_t current_seed_low = 0;

// A broken invariant aborts: the seed must be known then, too.
void say_seed(int) {
  std::fprintf(stderr, "aborted in seed %ld\n", static_cast<long>(current_seed_low));
  std::_Exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 200;
  std::uint64_t from = 1;
  double hours = 1;
  int crashes = 10;
  bool verbose = false;
  bool keep_going = false;
  bool list_coverage = false;
  bool json = false;
  CLI::App app("Runs the agent in simulated worlds until one of them breaks a promise");
  app.add_option("--seeds", seeds, "how many worlds");
  app.add_option("--from", from, "seed of the first");
  app.add_option("--hours", hours, "virtual time with faults, each");
  app.add_option("--crashes", crashes, "crashes, each");
  app.add_flag("--verbose", verbose, "print every world's account");
  app.add_flag("--keep-going", keep_going, "on after a broken promise");
  app.add_flag("--coverage", list_coverage, "print what was reached, and fail when something was not");
  app.add_flag("--json", json, "as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  std::signal(SIGABRT, say_seed);
  const tideover::sim::SwarmOptions options{.span = std::chrono::duration_cast<tideover::Duration>(
                                                std::chrono::duration<double, std::ratio<3600>>(hours)),
                                            .crashes = crashes};
  tideover::sim::Coverage coverage;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    current_seed_low = static_cast<std::sig_atomic_t>(seed);
    const auto report = tideover::sim::run_swarm(seed, options);
    if (verbose || !report.violations.empty()) std::printf("%s\n", to_string(report).c_str());
    std::fflush(stdout);
    coverage.merge(report.coverage);
    if (report.violations.empty()) continue;
    ++broken;
    if (!keep_going) return 1;
  }
  if (list_coverage) std::fputs((json ? coverage.json() : coverage.text()).c_str(), stdout);
  std::FILE* const words = json ? stderr : stdout;
  const auto count = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  if (broken > 0)
    std::fprintf(words, "%llu of %llu seeds broke a promise\n", count(broken), count(seeds));
  else
    std::fprintf(words, "%llu seeds kept every promise\n", count(seeds));
  if (broken > 0) return 1;
  if (list_coverage && !coverage.complete()) {
    std::fputs("the seeds did not reach what is marked UNREACHED\n", words);
    return 1;
  }
  return 0;
}
