#include "tests/sim/swarm.h"

#include <array>
#include <fmt/format.h>

#include "tests/sim/operators.h"
#include "tests/sim/world.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

// Half of the worlds do not know the trouble at all; the others, from hardly to badly.
double often(Rng& chance, double most) {
  return chance.chance(0.5) ? 0.0 : most * chance.unit() * chance.unit();
}
// The same, for what most worlds do not know.
double seldom(Rng& chance, double most) { return chance.chance(0.5) ? 0.0 : often(chance, most); }

void add_sources(World& world, Rng& chance) {
  if (chance.chance(0.3)) world.set_external_labels({{"cluster", "app1"}, {"replica", "b"}});
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
    options.rich = chance.chance(0.4);
    if (chance.chance(0.3)) options.behind = chance.chance(0.5) ? Duration(15min) : Duration(61min);
    options.bulk = chance.chance(0.2) ? 500 + chance.below(2000) : 0;
    world.add_source(options);
  }
  if (chance.chance(0.2)) world.add_stranger();
}

void trouble_the_receiver(Thanos thanos, Rng& chance) {
  // Without a window a head takes what is an hour old; other writers, some with clocks ahead, move the head
  // on.
  constexpr std::array kWindows{Duration{}, Duration(10min), Duration(4h)};
  const Duration window = kWindows[chance.below(kWindows.size())];
  if (chance.chance(0.4)) thanos.has_other_writers(chance.chance(0.5) ? Duration(57min) : Duration{});
  constexpr std::array kDistances{Duration(5ms), Duration(100ms), Duration(1s)};
  thanos.window(window)
      .fails(often(chance, 0.8))
      .fails_after_storing(often(chance, 0.4))
      .fails_partway(often(chance, 0.4))
      .chokes(often(chance, 0.02))
      .throttles(often(chance, 0.4))
      .miscounts(often(chance, 0.5))
      .refuses_type(seldom(chance, 0.02))
      .loses_replies(often(chance, 0.3))
      .breaks_replies(often(chance, 0.2))
      .resets(often(chance, 0.4))
      .answers_slowly(often(chance, 0.3))
      .answers_late(seldom(chance, 0.2))
      .hears_twice(seldom(chance, 0.2))
      .is_away(kDistances[chance.below(kDistances.size())]);
  switch (chance.below(5)) {
    case 0:
    case 1: thanos.is_prometheus(); break;
    case 2: thanos.is_cortex(); break;
  }
  if (chance.chance(0.3)) thanos.takes_at_most(1 + chance.below(50));
  if (chance.chance(0.15)) thanos.answers_up_to(10 + chance.below(30));
  thanos.never_admits(seldom(chance, 0.05));
  if (chance.chance(0.15)) thanos.takes_labels_up_to(400);
  if (chance.chance(0.15)) thanos.changes_its_limits();
  if (chance.chance(0.3)) thanos.changes_its_window();
  thanos.forbids(often(chance, 0.2));
  if (chance.chance(0.3)) {
    constexpr std::array kBitsPerSecond{128e3, 2e6, 1e9};
    constexpr std::array kRoundTrips{Duration(1ms), Duration(50ms), Duration(300ms)};
    const double bits_per_s = kBitsPerSecond[chance.below(kBitsPerSecond.size())];
    thanos.lies_behind({bits_per_s / 8, kRoundTrips[chance.below(kRoundTrips.size())], often(chance, 0.02)});
  }
  if (chance.chance(0.3)) thanos.moves();
  if (chance.chance(0.7)) thanos.down_for(10s, 20min);
  if (chance.chance(0.5)) thanos.restarts(chance.chance(0.5));
}

void add_destinations(World& world, Rng& chance) {
  trouble_the_receiver(world.thanos(), chance);
  if (chance.chance(0.6)) return;
  const std::uint64_t more = 1 + chance.below(2);
  for (std::uint64_t i = 1; i <= more; ++i) {
    const bool required = chance.chance(0.6);
    Thanos thanos = world.add_destination({.name = fmt::format("other-{}", i), .required = required});
    if (chance.chance(0.3))
      thanos.is_gone();
    else
      trouble_the_receiver(thanos, chance);
  }
}

void trouble_the_node(World& world, Rng& chance) {
  world.disk_faults().commit_fails = often(chance, 0.1);
  world.disk_faults().divert_fails = often(chance, 0.4);
  world.disk_faults().reopen_fails = often(chance, 0.5);
  world.disk_faults().read_fails = often(chance, 0.1);
  world.disk_faults().sectors_fail = seldom(chance, 0.2);
  world.disk_faults().sectors_lost = seldom(chance, 0.1);
  world.disk_faults().sectors_lost_at_open = seldom(chance, 0.5);
  if (chance.chance(0.2)) world.disk().give_space_back_late(true);
  // Slow enough that commits, reads, requests and crashes meet each other.
  constexpr std::array kCommitTimes{Duration(3ms), Duration(100ms), Duration(2s)};
  world.speed().commit = kCommitTimes[chance.below(kCommitTimes.size())];
  world.speed().stalls = often(chance, 0.02);
  world.speed().sticks = seldom(chance, 0.002);
  if (chance.chance(0.2)) world.damage_records();
  if (chance.chance(0.2)) world.fill_disk();
  if (chance.chance(0.2)) world.jump_wall_clock();
  if (chance.chance(0.2)) world.restart_sources();
  if (chance.chance(0.3)) world.restart_agents();
  world.lose_answers(often(chance, 0.1));
  if (chance.chance(0.2)) {
    // Small enough to be used up by an outage.
    AgentOptions& options = world.agent_options();
    constexpr std::array<std::uint64_t, 3> kBudgets{8 << 10, 24 << 10, 96 << 10};
    options.lane_bytes_max = kBudgets[chance.below(kBudgets.size())];
    options.parked_bytes_max = options.lane_bytes_max / 4;
    options.quarantine_bytes_max = options.lane_bytes_max / 4;
    options.rejects_bytes_max = options.lane_bytes_max / 16;
  }
  if (chance.chance(0.3)) {  // what waits is read from the disk, not from memory
    world.agent_options().limits.tail_bytes = 1 << chance.below(13);
    world.agent_options().limits.group_bytes = 1 << chance.below(13);
  }
  if (chance.chance(0.3)) world.agent_options().request_samples_max = 1 + chance.below(60);
  // Below the floor: nothing may wait, or some of what a world writes.
  world.agent_options().limits.flow_bytes = chance.chance(0.5) ? 0 : 1 << chance.below(20);
  if (chance.chance(0.1)) world.agent_options().limits.waiting_bytes = 1 << (9 + chance.below(4));
}

}  // namespace

SwarmReport run_swarm(std::uint64_t seed, const SwarmOptions& options) {
  World world(seed);
  Rng chance(seed * 0x9e3779b97f4a7c15ULL + 7);
  add_sources(world, chance);
  add_destinations(world, chance);
  trouble_the_node(world, chance);
  Operators operators(world);
  if (chance.chance(0.4)) operators.begin();
  world.run_with_crashes(options.crashes, options.span);
  if (chance.chance(0.5)) world.fall_silent();
  world.heal_and_drain();
  return {.seed = seed,
          .trace = world.trace(),
          .steps = world.steps(),
          .crashes = world.crashes(),
          .account = world.account(),
          .coverage = world.coverage(),
          .violations = world.violations()};
}

std::string to_string(const SwarmReport& report) {
  const Account& a = report.account;
  std::string line = fmt::format(
      "seed {}: {} acknowledged, {} stored, {} refused, {} swallowed, {} damaged, {} dropped, {} "
      "outstanding, "
      "{} extra, {} duplicates, {} crashes, {} steps, trace {:016x}",
      report.seed, a.acknowledged, a.stored, a.refused, a.swallowed, a.damaged, a.dropped, a.outstanding,
      a.extra, a.duplicates, report.crashes, report.steps, report.trace);
  for (const std::string& violation : report.violations) line += "\n  " + violation;
  if (!report.violations.empty())
    line += fmt::format("\n  replay: tideover-sim --from {} --seeds 1", report.seed);
  return line;
}

}  // namespace tideover::sim
