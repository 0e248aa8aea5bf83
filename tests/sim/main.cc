// tideover-sim: runs worlds until one breaks a promise.
//
//   tideover-sim [--seeds N] [--from S] [--hours H] [--crashes C] [--verbose]
//
// Exit status: 0 when every seed kept every promise, 1 when one did not (its seed is printed), 2 on bad
// usage.
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
  CLI::App app("Runs the agent in simulated worlds until one of them breaks a promise");
  app.add_option("--seeds", seeds, "how many worlds");
  app.add_option("--from", from, "seed of the first");
  app.add_option("--hours", hours, "virtual time with faults, each");
  app.add_option("--crashes", crashes, "crashes, each");
  app.add_flag("--verbose", verbose, "print every world's account");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGABRT, say_seed);
  const tideover::sim::SwarmOptions options{.span = std::chrono::duration_cast<tideover::Duration>(
                                                std::chrono::duration<double, std::ratio<3600>>(hours)),
                                            .crashes = crashes};
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    current_seed_low = static_cast<std::sig_atomic_t>(seed);
    const auto report = tideover::sim::run_swarm(seed, options);
    if (verbose || !report.violations.empty()) std::printf("%s\n", to_string(report).c_str());
    if (!report.violations.empty()) return 1;
  }
  std::printf("%llu seeds kept every promise\n", static_cast<unsigned long long>(seeds));
  return 0;
}
