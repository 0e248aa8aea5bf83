// A destination that does not park: what it refuses for now waits where it is, and only what it says is bad,
// or refuses while it takes the rest, is given up.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "forwarders/side_lanes.h"
#include "tests/unit/forwarders/machine_script.h"
#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using wal::Reason;

MachineLimits never_parks() {
  MachineLimits limits = settled_limits();
  limits.parks = false;
  return limits;
}

Answer refused(Reason reason = Reason::bad_request) { return answer(Action::bisect, reason); }

Answer known_as_bad() {
  Answer a = refused();
  a.verdict.understood = true;
  return a;
}

TEST_CASE("without parking there is no lane for it") {
  wal::MemStore disk;
  Mgmt mgmt;
  Life life(disk, mgmt, {}, false, false);
  life.append("abc");
  life.clock.run_for(1s);
  CHECK_FALSE(life.queue.find_lane(side_lane_name("metrics", kParkedLane, "thanos")).has_value());
  CHECK(life.queue.find_lane(side_lane_name("metrics", kQuarantineLane, "thanos")).has_value());
  CHECK(mgmt.stored == "abc");
  life.check_account();
}

TEST_CASE(
    "without parking, what the window refuses waits, and everything behind it, until the window opens") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find_first_of("ABC") == body.npos) return std::nullopt;
    return status(400, "window");
  };
  SenderOptions options;
  options.machine.request.units = 4;  // a word is a batch
  Life life(disk, mgmt, options, false, false);
  life.append("ABC");
  life.append("def");
  life.clock.run_for(2h);
  CHECK(mgmt.stored.empty());
  CHECK(life.sender->status().state == State::paused);
  CHECK(life.sender->status().main.behind.units == 6);
  CHECK(life.transport.requests < 7 * 60 * 2);  // the few of a search in each pause of about 45 s
  CHECK(std::count(life.changes.begin(), life.changes.end(), State::paused) == 1);  // one line in the log
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(2min);
  CHECK(mgmt.stored == "ABCdef");
  CHECK(life.sender->status().state == State::up);
  life.check_account();
}

TEST_CASE("without parking, an operator ends the wait") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(400, "window"); };
  Life life(disk, mgmt, {}, false, false);
  life.append("ABC");
  life.clock.run_for(10min);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.sender->retry_now();
  life.clock.run_for(1s);
  CHECK(mgmt.stored == "ABC");
}

TEST_CASE("without parking, what is known to be bad is given up, and nothing else") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') == body.npos) return std::nullopt;
    return status(400, "bad x");
  };
  Life life(disk, mgmt, {}, false, false);
  life.append("abxcd");
  life.append("xe");
  life.clock.run_for(10s);
  CHECK(mgmt.stored == "abcde");
  CHECK(life.sender->status().main.ledger.lost[static_cast<std::size_t>(Reason::bad_request)] == 2);
  life.check_account();
}

TEST_CASE("without parking, all of a batch that is known to be bad is found, item by item") {
  MachineScript script(Role::main, never_parks(), {300},
                       [](const Sending& s) { return s.last > 2 ? known_as_bad() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 298);
}

TEST_CASE("without parking, an item is given up for words nobody knows only while others of its batch pass") {
  const std::size_t bad = GENERATE(0, 1, 31, 63);
  MachineScript script(Role::main, never_parks(), {64, 64},
                       [=](const Sending& s) { return s.holds(bad) ? refused() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 1);
  CHECK(script.fates[bad] == std::vector{Fate::rejected});
}

// The search ends early, and what is left is asked once more: so it is found in a part that was set aside.
TEST_CASE(
    "without parking, many bad items at the front of a batch are found once what is behind them passes") {
  const std::size_t bad = GENERATE(5, 20, 31);
  MachineScript script(Role::main, never_parks(), {64},
                       [=](const Sending& s) { return s.first < bad ? refused() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == bad);
  for (const Sending& s : script.sent)  // whatever is asked for behind something newer says so
    CHECK(
        (s.step.overtaken || std::none_of(script.sent.begin(), script.sent.end(), [&s](const Sending& other) {
           return other.taken && other.now < s.now && other.first > s.first;
         })));
}

TEST_CASE("without parking, a receiver that refuses everything is waited for, and nothing is lost") {
  const Action action = GENERATE(Action::bisect, Action::halve, Action::park);
  const std::size_t size = GENERATE(1, 100, 10'000);
  MachineScript script(Role::main, never_parks(), {size, size, size},
                       [=](const Sending& s) { return s.now < Time{1h} + 2h ? answer(action) : stored(); });
  script.run_for(110min);
  CHECK(script.machine.state() == State::paused);
  CHECK(script.sent.size() < 40 + 7 * 110 * 2);
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 3 * size);
  CHECK(script.machine.state() != State::paused);
}

TEST_CASE(
    "without parking, what is refused while everything is, is asked for in as few requests once it is not") {
  MachineScript script(Role::main, never_parks(), {1'000},
                       [](const Sending& s) { return s.now < Time{1h} + 1h ? refused() : stored(); });
  script.run();
  CHECK(std::count_if(script.sent.begin(), script.sent.end(), [](const Sending& s) { return s.taken; }) == 1);
}

TEST_CASE("without parking, an item that is too large even alone is given up while others pass") {
  MachineScript script(Role::main, never_parks(), {16}, [](const Sending& s) {
    return s.holds(5) ? answer(Action::halve, Reason::too_large) : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.fates[5] == std::vector{Fate::rejected});
  CHECK(script.count(Fate::delivered) == 15);
}

TEST_CASE("without parking, an outage in the middle of a search costs nothing") {
  const auto first = static_cast<std::size_t>(GENERATE(range(2, 12)));
  std::size_t requests = 0;
  MachineScript script(Role::main, never_parks(), {16}, [&](const Sending& s) {
    if (++requests >= first && requests < first + 4) return unavailable();
    return requests < first && s.holds(15) ? refused() : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) <= 1);
  CHECK(script.count(Fate::delivered) >= 15);
}

TEST_CASE("without parking, what comes from quarantine and is refused for now goes back there") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') == body.npos) return std::nullopt;
    return status(500, "panic");
  };
  Life life(disk, mgmt, {}, false, false);
  life.append("abxcd");
  life.clock.run_for(30min);
  REQUIRE(life.sender->status().quarantine.behind.units == 1);
  mgmt.refuses = [](const std::string&) { return status(400, "order"); };
  life.clock.run_for(30min);
  CHECK(life.sender->status().quarantine.behind.units == 1);
  CHECK(life.transport.requests < 60);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(6min);
  CHECK(mgmt.stored == "abcdx");
  life.check_account();
}

}  // namespace
}  // namespace tideover::forward
