// Several destinations, and what operators do to them: the promise holds for each one by itself.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/sim/operators.h"
#include "tests/sim/scenario.h"
#include "wal/queue_state.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

void check_all_arrived(const World& world, const std::string& destination) {
  const Account account = world.account(destination);
  INFO(destination);
  CHECK(account.acknowledged > 0);
  CHECK(account.stored == account.acknowledged);
}

void check_promises(const World& world) { CHECK(world.violations() == std::vector<std::string>{}); }

std::uint64_t bytes_of(World& world, const std::string& lane) {
  return world.oracle().held_bytes(wal::lane_id(lane));
}

TEST_CASE("three destinations get everything, each with troubles of its own") {
  World world(21);
  add_two_sources(world, true);
  world.thanos().down_for(1min, 10min).window(Duration{});
  world.add_destination({.name = "prometheus"}).is_prometheus().fails(0.3).resets(0.2);
  world.add_destination({.name = "cortex"}).is_cortex().throttles(0.3).takes_at_most(20);
  world.run_with_crashes(8, 1h);
  world.heal_and_drain();
  check_promises(world);
  for (const char* name : {"thanos", "prometheus", "cortex"}) check_all_arrived(world, name);
}

TEST_CASE("a destination that is gone for good delays no other") {
  World world(22);
  add_two_sources(world, true);
  world.add_destination({.name = "gone"}).is_gone();
  world.run_for(3h);
  CHECK(world.account("thanos").outstanding < 50);
  CHECK(world.account("gone").stored == 0);
  CHECK(world.account("gone").outstanding > 1000);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "gone");
}

TEST_CASE("a required destination that is gone fills the budget, and the sources wait") {
  World world(23);
  world.agent_options().lane_bytes_max = 8 << 10;
  add_two_sources(world, true);
  world.add_destination({.name = "gone"}).is_gone();
  world.run_for(2h);
  CHECK(bytes_of(world, "metrics") <= 8 << 10);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
  check_all_arrived(world, "gone");
  CHECK(world.account().dropped == 0);
}

TEST_CASE("a best-effort destination that is gone loses its oldest, counted, and no other loses anything") {
  World world(24);
  world.agent_options().lane_bytes_max = 8 << 10;
  add_two_sources(world, true);
  world.add_destination({.name = "gone", .required = false}).is_gone();
  world.run_with_crashes(4, 2h);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
  const Account gone = world.account("gone");
  CHECK(gone.dropped > 0);
  CHECK(gone.stored + gone.dropped == gone.acknowledged);
}

TEST_CASE("a URL that changes keeps the backlog") {
  World world(25);
  add_two_sources(world, true);
  world.network().set_link(Link::black_hole);
  world.run_for(30min);
  const Account before = world.account();
  REQUIRE(before.outstanding > 100);
  REQUIRE(Operators(world).change_url());
  world.restart_agent();
  world.run_for(5min);
  CHECK(world.account().outstanding < 50);
  CHECK(world.receiver().requests() == 0);  // the old one heard nothing of it
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
}

TEST_CASE(
    "a destination that is removed and returns finds the backlog that it left, and nothing of meanwhile") {
  World world(26);
  add_two_sources(world, true);
  world.add_destination({.name = "other"});
  world.run_for(10min);
  world.sites().back()->network.set_link(Link::refusing);
  world.run_for(20min);
  const DestinationOptions other = world.agent_options().destinations.back();
  world.agent_options().destinations.pop_back();
  world.restart_agent();
  world.run_for(1min);
  const std::uint64_t left = world.account("other").outstanding;
  const std::uint64_t held = bytes_of(world, "metrics");
  CHECK(left > 100);
  world.run_with_crashes(3, 2h);
  CHECK(world.account("other").outstanding == left);
  CHECK(bytes_of(world, "metrics") < held + 4'000);  // what came meanwhile is given back
  world.sites().back()->network.set_link(Link::up);
  world.agent_options().destinations.push_back(other);
  world.restart_agent();
  world.run_for(5min);
  CHECK(world.account("other").outstanding < 50);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "other");
}

TEST_CASE("a destination that is removed with nothing behind it is forgotten, and returns as a new one") {
  World world(32);
  add_two_sources(world, true);
  world.add_destination({.name = "other"});
  world.run_for(10min);
  const DestinationOptions other = world.agent_options().destinations.back();
  world.agent_options().destinations.pop_back();
  world.restart_agent();
  world.run_for(1min);
  CHECK_FALSE(world.oracle().remembers("other"));
  const std::uint64_t before = world.account("other").acknowledged;
  world.agent_options().destinations.push_back(other);
  world.restart_agent();
  world.run_for(10min);
  CHECK(world.account("other").acknowledged > before);
  world.heal_and_drain();
  check_promises(world);
}

TEST_CASE("a new destination begins at now, or at the oldest that is still there") {
  World world(27);
  add_two_sources(world, true);
  world.run_for(20min);
  world.network().set_link(Link::refusing);
  world.run_for(20min);
  const std::uint64_t waiting = world.account().outstanding;
  REQUIRE(waiting > 100);
  world.add_destination({.name = "late"});
  world.add_destination({.name = "curious", .start = wal::StartAt::oldest});
  world.restart_agent();
  world.run_for(1s);
  CHECK(world.account("late").acknowledged == 0);
  CHECK(world.account("curious").acknowledged >= waiting);
  CHECK(world.account("curious").acknowledged < world.account("thanos").acknowledged);
  world.run_with_crashes(2, 20min);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "late");
  check_all_arrived(world, "curious");
}

TEST_CASE("one that begins at the oldest gets nothing that others have passed since they were back") {
  World world(33);
  add_two_sources(world, true);
  world.add_destination({.name = "other"});
  world.run_for(10min);
  world.sites().back()->network.set_link(Link::refusing);
  world.run_for(5min);
  const DestinationOptions other = world.agent_options().destinations.back();
  world.agent_options().destinations.pop_back();
  world.restart_agent();
  world.run_for(10min);
  world.sites().back()->network.set_link(Link::up);
  world.agent_options().destinations.push_back(other);
  world.restart_agent();
  world.run_for(10min);
  REQUIRE(world.account("other").outstanding < 50);
  world.add_destination({.name = "late", .start = wal::StartAt::oldest});
  world.restart_agent();
  world.run_for(5min);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "late");
}

TEST_CASE("what an operator gives up leaves the disk, and what was set aside for it, too") {
  World world(28);
  add_two_sources(world, true);
  world.add_destination({.name = "other"}).window(Duration{}).has_other_writers();
  world.run_for(10min);
  world.sites().back()->network.set_link(Link::refusing);
  world.run_for(2h);  // longer than the window
  world.sites().back()->network.set_link(Link::up);
  world.run_for(20min);
  REQUIRE(bytes_of(world, "metrics/parked/other") > 10'000);
  world.agent_options().destinations.pop_back();
  world.restart_agent();
  world.run_for(1min);
  REQUIRE(world.agent()->give_up("other").has_value());
  world.run_for(2min);
  CHECK(bytes_of(world, "metrics/parked/other") < 1000);  // the last record stays, as a witness
  CHECK(world.account("other").outstanding == 0);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
}

TEST_CASE("a name that returns after it was given up begins anew") {
  World world(29);
  add_two_sources(world, true);
  world.add_destination({.name = "other"}).is_gone();
  world.run_for(20min);
  const DestinationOptions other = world.agent_options().destinations.back();
  world.agent_options().destinations.pop_back();
  world.restart_agent();
  world.run_for(1min);
  REQUIRE(world.agent()->give_up("other").has_value());
  world.run_for(1min);
  const std::uint64_t before = world.account("other").acknowledged;
  world.agent_options().destinations.push_back(other);
  world.restart_agent();
  world.run_with_crashes(2, 20min);
  world.heal_and_drain();
  check_promises(world);
  const Account account = world.account("other");
  CHECK(account.acknowledged > before);
  CHECK(account.stored == account.acknowledged - before);
}

TEST_CASE("a budget that shrinks below what waits refuses new samples, and gives up nothing") {
  World world(30);
  add_two_sources(world, true);
  world.network().set_link(Link::refusing);
  world.run_for(1h);
  world.agent_options().lane_bytes_max = 4 << 10;
  REQUIRE(bytes_of(world, "metrics") > 8 << 10);
  const std::uint64_t held = bytes_of(world, "metrics");
  world.restart_agent();
  world.run_for(30min);
  CHECK(bytes_of(world, "metrics") <= held);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
}

TEST_CASE("labels that are added on the way reach every receiver, in either version") {
  World world(31);
  world.set_external_labels({{"cluster", "app1"}, {"zone", "b"}});
  add_two_sources(world, true);
  world.add_source({.name = "c", .unsorted = true, .rich = true});
  world.add_destination({.name = "prometheus"}).is_prometheus();
  world.run_with_crashes(3, 30min);
  world.heal_and_drain();
  check_promises(world);
  check_all_arrived(world, "thanos");
  check_all_arrived(world, "prometheus");
}

}  // namespace
}  // namespace tideover::sim
