// One trouble at a time, at its worst: what the swarm mixes.
#include <catch2/catch.hpp>

#include "tests/sim/scenario.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

TEST_CASE("answers that break off, are no HTTP, come late or twice are nobody else's answers") {
  World world(41);
  world.thanos().window(Duration{}).breaks_replies(0.4).answers_late(0.4);
  add_two_sources(world, true);
  world.run_with_crashes(5, 1h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that moves and leaves a load balancer behind is found again") {
  World world(47);
  world.thanos().moves();
  world.add_destination({.name = "prometheus"}).is_prometheus().moves();
  add_two_sources(world);
  world.run_for(1h);
  world.heal_and_drain(10min);
  check_all_arrived(world);
}

TEST_CASE("a proxy that repeats requests costs nothing but the repetition") {
  World world(42);
  world.thanos().window(Duration{}).hears_twice(0.5);
  world.add_destination({.name = "prometheus"}).is_prometheus().hears_twice(0.5);
  add_two_sources(world, true);
  world.run_with_crashes(3, 1h);
  world.heal_and_drain();
  check_all_arrived(world);
  CHECK(world.account().duplicates > 0);
}

TEST_CASE("a receiver that stores half of a request and answers 500 gets the other half") {
  World world(43);
  world.thanos().fails_partway(0.6);
  world.add_destination({.name = "prometheus"}).is_prometheus().fails_partway(0.6);
  add_two_sources(world, true);
  world.run_with_crashes(3, 1h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that stores the valid rest of what it answers 400 loses nothing by it") {
  World world(44);
  world.thanos().is_cortex().takes_labels_up_to(400);
  world.add_source({.name = "a", .bulk = 1000});
  world.add_source({.name = "b", .version = remote_write::Version::v2, .bulk = 1000});
  world.run_with_crashes(3, 30min);
  const Account account = world.account();
  world.heal_and_drain();
  CHECK(world.violations() == std::vector<std::string>{});
  CHECK(account.refused > 0);
  CHECK(world.account().outstanding == 0);
  CHECK(world.account().swallowed == 0);
}

TEST_CASE("a receiver that never answers what is larger than a size gets it in smaller requests") {
  World world(51);
  world.thanos().answers_up_to(7);
  world.add_destination({.name = "prometheus"}).is_prometheus().answers_up_to(20);
  add_two_sources(world, true);
  world.run_with_crashes(2, 1h);
  CHECK(world.agent()->destination(0).main.ledger.delivered > 0);
  CHECK(world.agent()->destination(1).main.ledger.delivered > 0);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that answers 413 to everything for a while loses nothing, and is not flooded") {
  World world(52);
  world.add_source({.name = "a", .bulk = 1000});
  world.add_source({.name = "b", .version = remote_write::Version::v2, .bulk = 1000});
  world.run_for(5min);
  world.thanos().refuses_every_size();
  const auto before = world.agent()->destination().requests;
  world.run_for(30min);
  const auto after = world.agent()->destination().requests;
  const auto asked = after.at("4xx") - (before.contains("4xx") ? before.at("4xx") : 0);
  CHECK(asked < 150);
  CHECK(world.agent()->destination().state == forward::State::paused);
  world.run_with_crashes(3, 30min);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("samples that no window admits hold up nothing that is parked beside them") {
  World world(53);
  const bool prometheus = GENERATE(false, true);
  Thanos thanos = world.thanos().window(Duration{}).has_other_writers().never_admits(0.02);
  if (prometheus) thanos.is_prometheus();
  add_two_sources(world);
  world.run_for(10min);
  world.network().set_link(Link::refusing);
  world.run_for(2h);
  world.network().set_link(Link::up);
  world.run_with_crashes(2, 2h);
  const std::uint64_t waited = world.account().outstanding;
  thanos.window(24h);
  world.run_with_crashes(2, 2h);
  CHECK(world.account().outstanding < waited / 4);
  CHECK(world.agent()->destination().parked.behind.units > 0);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("words that nobody knows give up nothing that is parked") {
  World world(54);
  Thanos thanos = world.thanos().is_prometheus().window(Duration{}).has_other_writers();
  add_two_sources(world);
  world.run_for(10min);
  world.network().set_link(Link::refusing);
  world.run_for(2h);
  world.network().set_link(Link::up);
  world.run_for(30min);
  world.stop_scraping();
  world.run_for(10min);
  REQUIRE(world.agent()->destination().main.behind.units == 0);
  const std::uint64_t parked = world.agent()->destination().parked.behind.units;
  REQUIRE(parked > 100);
  thanos.mumbles();
  world.run_with_crashes(3, 6h);
  CHECK(world.agent()->destination().parked.behind.units == parked);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("wrong counts of what was written cost no sample") {
  World world(45);
  world.thanos().is_prometheus().miscounts(1.0);
  world.add_source({.name = "a", .version = remote_write::Version::v2, .histograms = true});
  world.run_with_crashes(3, 1h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("limits and windows of the receiver may change under the agent's feet") {
  World world(46);
  world.thanos().changes_its_limits().changes_its_window().has_other_writers().down_for(5min, 20min);
  add_two_sources(world, true);
  world.run_with_crashes(5, 4h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a receiver that loses its head gets what it has not acknowledged, and no more is asked of us") {
  World world(47);
  world.thanos().window(Duration{}).restarts(true).down_for(1min, 5min);
  add_two_sources(world, true);
  world.run_with_crashes(5, 2h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a sample that is too large alone is parked, and its neighbours arrive") {
  World world(48);
  world.thanos().takes_at_most(0, 1200);
  world.add_source({.name = "a", .bulk = 2000});
  world.run_with_crashes(2, 20min);
  const Account before = world.account();
  CHECK(before.refused == 0);
  CHECK(world.agent()->destination().parked.behind.units > 0);
  CHECK(before.stored > before.outstanding);  // three other series, and 413 for the one
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a disk that hangs for minutes delays answers, and delivery of what is durable goes on") {
  World world(49);
  world.speed().sticks = 0.01;
  world.thanos().down_for(10s, 2min);
  add_two_sources(world, true);
  world.run_with_crashes(5, 2h);
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("stops in order, one after the other, lose nothing, whatever hangs") {
  World world(50);
  world.speed().sticks = 0.005;
  world.disk_faults().commit_fails = 0.05;
  world.thanos().fails(0.2).answers_slowly(0.2);
  add_two_sources(world, true);
  for (int i = 0; i < 30; ++i) {
    world.run_for(90s);
    world.restart_agent();
  }
  world.heal_and_drain();
  check_all_arrived(world);
}

TEST_CASE("a power cut in the middle of a write leaves all of it or nothing of it") {
  World world(51);
  add_two_sources(world, true);
  world.run_for(1min);
  for (int i = 0; i < 40; ++i) {
    world.disk().cut_at_commit(Cut::during_commit, [&world] { world.agent()->die(); });
    world.run_for(90s);
  }
  world.heal_and_drain();
  check_all_arrived(world);
  CHECK(world.account().extra == 0);  // whoever got no answer has repeated it
}

TEST_CASE("sectors that cannot be read for a while cost nothing but time") {
  World world(53);
  world.disk_faults().sectors_fail = 0.5;
  world.agent_options().limits.tail_bytes = 0;  // everything is read from the disk
  world.thanos().fails(0.2).has_other_writers(57min).down_for(1min, 10min);
  add_two_sources(world, true);
  world.run_with_crashes(8, 2h);
  world.heal_and_drain();
  check_all_arrived(world);
}

// Side lanes, too: what came an hour late is parked.
TEST_CASE("of sectors that cannot be read any more only what they held is missing, and it is counted") {
  World world(54);
  world.disk_faults().sectors_lost = 0.2;
  world.disk_faults().sectors_lost_at_open = 1.0;
  world.agent_options().limits.tail_bytes = 0;
  world.thanos().fails(0.2).has_other_writers(57min).down_for(1min, 10min);
  world.add_destination({.name = "other"}).down_for(1min, 20min);
  add_two_sources(world, true);
  world.run_with_crashes(12, 2h);
  world.heal_and_drain();
  CHECK(world.violations() == std::vector<std::string>{});
  const Account account = world.account();
  CHECK(account.damaged > 0);
  CHECK(account.stored > account.damaged);
  CHECK(account.stored + account.damaged == account.acknowledged);
}

TEST_CASE("a budget is kept over runs of sectors that cannot be read") {
  World world(55);
  world.disk_faults().sectors_lost_at_open = 1.0;
  world.agent_options().lane_bytes_max = 64 << 10;
  world.add_destination({.name = "gone", .required = false}).is_gone();
  world.add_source({.name = "a", .interval = 5s, .bulk = 1000});
  world.run_with_crashes(20, 4h);
  world.heal_and_drain();
  CHECK(world.violations() == std::vector<std::string>{});
  CHECK(world.account("thanos").outstanding == 0);
}

TEST_CASE("memory does not grow with the backlog") {
  World world(52);
  world.agent_options().limits.tail_bytes = 256 << 10;
  world.network().set_link(Link::refusing);
  for (const char* name : {"a", "b", "c"}) world.add_source({.name = name, .series = 1, .bulk = 60'000});
  world.run_for(2h);
  CHECK(world.oracle().held_bytes() > 50 << 20);
  CHECK(world.disk().lent_bytes() < 4 << 20);
  world.network().set_link(Link::up);
  std::uint64_t most = 0;
  for (int i = 0; i < 600; ++i) {
    world.run_for(1s);
    most = std::max(most, world.disk().lent_bytes());
  }
  CHECK(most < 6 << 20);
  world.heal_and_drain();
  check_all_arrived(world);
}

}  // namespace
}  // namespace tideover::sim
