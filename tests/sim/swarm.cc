#include "tests/sim/swarm.h"

#include <array>
#include <fmt/format.h>

#include "tests/sim/world.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

// Half of the worlds do not know the trouble at all; the others, from hardly to badly.
double often(Rng& chance, double most) {
  return chance.chance(0.5) ? 0.0 : most * chance.unit() * chance.unit();
}

void add_sources(World& world, Rng& chance) {
  const std::uint64_t count = 1 + chance.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    SourceOptions options{.name = fmt::format("node-{}", i)};
    options.series = static_cast<std::uint32_t>(1 + chance.below(4));
    options.interval = std::chrono::seconds(15 + chance.below(16));
    options.version = chance.chance(0.5) ? remote_write::Version::v2 : remote_write::Version::v1;
    options.unsorted = chance.chance(0.2);
    options.histograms = chance.chance(0.4);
    options.unruly = chance.chance(0.2);
    options.faulty = chance.chance(0.3);
    world.add_source(options);
  }
}

void trouble_the_receiver(World& world, Rng& chance) {
  // Without a window a head takes what is an hour old; other writers, some with clocks ahead, move the head
  // on.
  constexpr std::array kWindows{Duration{}, Duration(10min), Duration(4h)};
  const Duration window = kWindows[chance.below(kWindows.size())];
  if (chance.chance(0.4)) world.thanos().has_other_writers(chance.chance(0.5) ? Duration(57min) : Duration{});
  // A part that is answered 5xx again and again while others pass is overtaken by them. Without a window that
  // is for good, and a crash in between hides it: such receivers have outages here, but no poison.
  const double worst = window == Duration{} ? 0.2 : 0.8;
  constexpr std::array kDistances{Duration(5ms), Duration(100ms), Duration(1s)};
  world.thanos()
      .window(window)
      .fails(often(chance, worst))
      .fails_after_storing(often(chance, worst / 2))
      .throttles(often(chance, 0.4))
      .loses_replies(often(chance, 0.3))
      .resets(often(chance, 0.4))
      .answers_slowly(often(chance, 0.3))
      .is_away(kDistances[chance.below(kDistances.size())]);
  if (chance.chance(0.3)) world.thanos().is_prometheus();
  if (chance.chance(0.3)) world.thanos().takes_at_most(1 + chance.below(50));
  world.thanos().forbids(often(chance, 0.2));
  if (chance.chance(0.7)) world.thanos().down_for(10s, 20min);
  if (chance.chance(0.4)) world.thanos().restarts(chance.chance(0.3));
}

void trouble_the_node(World& world, Rng& chance) {
  world.disk_faults().commit_fails = often(chance, 0.1);
  world.disk_faults().reopen_fails = often(chance, 0.5);
  world.disk_faults().read_fails = often(chance, 0.1);
  // Slow enough that commits, reads, requests and crashes meet each other.
  constexpr std::array kCommitTimes{Duration(3ms), Duration(100ms), Duration(2s)};
  world.speed().commit = kCommitTimes[chance.below(kCommitTimes.size())];
  world.speed().stalls = often(chance, 0.02);
  if (chance.chance(0.2)) world.damage_records();
  if (chance.chance(0.2)) world.fill_disk();
  if (chance.chance(0.2)) world.jump_wall_clock();
  if (chance.chance(0.2)) world.restart_sources();
  world.lose_answers(often(chance, 0.1));
}

}  // namespace

SwarmReport run_swarm(std::uint64_t seed, const SwarmOptions& options) {
  World world(seed);
  Rng chance(seed * 0x9e3779b97f4a7c15ULL + 7);
  add_sources(world, chance);
  trouble_the_receiver(world, chance);
  trouble_the_node(world, chance);
  world.run_with_crashes(options.crashes, options.span);
  world.heal_and_drain();
  return {.seed = seed,
          .trace = world.trace(),
          .crashes = world.crashes(),
          .account = world.account(),
          .violations = world.violations()};
}

std::string to_string(const SwarmReport& report) {
  const Account& a = report.account;
  std::string line = fmt::format(
      "seed {}: {} acknowledged, {} stored, {} refused, {} swallowed, {} damaged, {} outstanding, {} extra, "
      "{} duplicates, "
      "{} crashes, trace {:016x}",
      report.seed, a.acknowledged, a.stored, a.refused, a.swallowed, a.damaged, a.outstanding, a.extra,
      a.duplicates, report.crashes, report.trace);
  for (const std::string& violation : report.violations) line += "\n  " + violation;
  if (!report.violations.empty())
    line += fmt::format("\n  replay: tideover-sim --from {} --seeds 1", report.seed);
  return line;
}

}  // namespace tideover::sim
