#include <catch2/catch.hpp>

#include "tests/sim/scenario.h"
#include "tests/sim/swarm.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

// The promise itself: 200 worlds, an hour of every trouble that chance gave them, ten crashes each. In four
// runs, so that ctest can spread them over the cores.
void check_swarm(std::uint64_t from, std::uint64_t seeds) {
  for (std::uint64_t seed = from; seed < from + seeds; ++seed) {
    const SwarmReport report = run_swarm(seed, {});
    INFO(to_string(report));
    REQUIRE(report.violations.empty());
    REQUIRE(report.crashes >= 10);
    REQUIRE(report.account.acknowledged > 0);
  }
}

TEST_CASE("no acknowledged sample is lost whatever happens: seeds 1 to 50") { check_swarm(1, 50); }
TEST_CASE("no acknowledged sample is lost whatever happens: seeds 51 to 100") { check_swarm(51, 50); }
TEST_CASE("no acknowledged sample is lost whatever happens: seeds 101 to 150") { check_swarm(101, 50); }
TEST_CASE("no acknowledged sample is lost whatever happens: seeds 151 to 200") { check_swarm(151, 50); }

TEST_CASE("a record acknowledged to the client reaches Thanos across crashes") {
  World world(1);
  add_two_sources(world);
  world.thanos().fails(0.2).loses_replies(0.05).down_for(0s, 60s);
  world.run_with_crashes(12, 1h);
  world.heal_and_drain();
  check_all_arrived(world);
  CHECK(world.crashes() == 12);
}

TEST_CASE("an outage of 2.7 hours, and a crash in the middle of it, loses nothing") {
  World world(2);
  add_two_sources(world);
  world.run_for(10min);
  world.network().set_link(Link::black_hole);
  world.run_for(81min);
  world.crash();
  world.run_for(81min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("samples outside the receiver's window wait while fresh ones pass, and arrive when it opens") {
  World world(8);
  world.thanos().window(Duration{}).has_other_writers();
  add_two_sources(world);
  world.run_for(10min);
  world.network().set_link(Link::refusing);
  world.run_for(2h);
  world.network().set_link(Link::up);
  world.run_with_crashes(2, 30min);
  const Account parked = world.account();
  CHECK(parked.outstanding > 0);
  CHECK(world.agent()->destination().parked.behind.units > 0);
  CHECK(world.agent()->destination().main.behind.units < 50);  // fresh samples do not wait behind the old
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("Thanos that answers 200 to version 2.0 and stores nothing costs no sample") {
  World world(9);
  world.add_source({.name = "a", .version = remote_write::Version::v2, .histograms = true});
  world.run_with_crashes(3, 20min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("Prometheus that speaks version 2.0 gets it") {
  World world(10);
  world.thanos().is_prometheus().fails(0.3).resets(0.2);
  world.add_source({.name = "a", .version = remote_write::Version::v2, .histograms = true});
  world.run_with_crashes(3, 20min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("labels that come unsorted arrive sorted") {
  World world(11);
  world.add_source({.name = "a", .unsorted = true, .histograms = true});
  world.add_source({.name = "b", .version = remote_write::Version::v2, .unsorted = true});
  world.run_for(20min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a faulty series costs the valid ones of its request nothing") {
  World world(12);
  world.add_source({.name = "a", .faulty = true});
  world.add_source({.name = "b", .version = remote_write::Version::v2, .faulty = true});
  world.run_with_crashes(3, 30min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that takes only small requests gets small requests") {
  World world(13);
  world.thanos().takes_at_most(5).down_for(1min, 5min);
  add_two_sources(world);
  world.run_for(1h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("of two values at one time the first is kept and the second counted as rejected") {
  World world(14);
  world.add_source({.name = "a", .unruly = true});
  world.run_for(1h);
  world.heal_and_drain();
  CHECK(world.violations() ==
        std::vector<std::string>{});  // the ledger is held against the receiver's refusals
  CHECK(world.account().refused > 0);
  CHECK(world.account().outstanding == 0);
}

TEST_CASE("damaged records are counted, and the others arrive") {
  World world(15);
  add_two_sources(world);
  world.network().set_link(Link::refusing);
  world.run_for(20min);
  world.crash();
  for (int i = 0; i < 5; ++i) world.damage_a_record();
  world.run_for(1min);
  world.heal_and_drain();
  const Account account = world.account();
  CHECK(world.violations() == std::vector<std::string>{});
  CHECK(account.damaged > 0);
  CHECK(account.stored + account.damaged == account.acknowledged);
}

TEST_CASE("an outage of timeouts breaks no order, and so loses nothing without a window") {
  World world(16);
  world.thanos().window(Duration{}).resets(0.3).down_for(2min, 10min);
  add_two_sources(world);
  world.run_with_crashes(5, 2h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that takes requests whole or not at all is not believed to have what it refuses") {
  World world(17);
  world.thanos().is_prometheus().window(Duration{}).loses_replies(0.2).down_for(1min, 5min);
  add_two_sources(world);
  world.run_with_crashes(10, 2h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("without faults every sample arrives once") {
  World world(3);
  add_two_sources(world);
  world.run_for(30min);
  world.heal_and_drain(5min);
  check_all_arrived(world);
  CHECK(world.account().duplicates == 0);
  CHECK(world.account().extra == 0);
}

TEST_CASE("a full disk is refused to the sources, and nothing is missing afterwards") {
  World world(4);
  add_two_sources(world);
  world.run_for(10min);
  world.disk().set_full(true);
  world.run_for(20min);
  world.disk().set_full(false);
  world.run_for(10min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("delivery goes on while the disk takes nothing") {
  World world(5);
  add_two_sources(world);
  world.network().set_link(Link::refusing);
  world.run_for(20min);
  const Account before = world.account();
  REQUIRE(before.outstanding > 0);
  world.disk().set_full(true);
  world.network().set_link(Link::up);
  world.run_for(10min);
  CHECK(world.account().outstanding == 0);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a budget that is used up is refused with 503, and the sources keep what it cannot take") {
  World world(6);
  world.agent_options().lane_bytes_max = 8 << 10;
  add_two_sources(world);
  world.network().set_link(Link::refusing);
  world.run_for(1h);
  CHECK(world.oracle().held_bytes() <= 8 << 10);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a wall clock that jumps loses nothing and holds nothing up") {
  World world(7);
  add_two_sources(world);
  world.thanos().down_for(10s, 5min);
  for (const Duration jump : {Duration(-2h), Duration(5h), Duration(-24h)}) {
    world.run_with_crashes(1, 10min);
    world.clock().jump_wall(jump);
  }
  world.heal_and_drain(20min);
  check_all_arrived(world);
}

}  // namespace
}  // namespace tideover::sim
