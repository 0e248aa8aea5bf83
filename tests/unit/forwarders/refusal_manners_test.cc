// Receivers that refuse everything: how often they are asked, and what becomes of the data.
#include <algorithm>

#include "forwarders/sender_machine.h"
#include "tests/unit/forwarders/machine_script.h"
#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

using wal::Reason;

Answer senseless(Action action) {
  return answer(action, action == Action::halve ? Reason::too_large : Reason::bad_request);
}

TEST_CASE(
    "a receiver that refuses everything gets a bounded number of spaced requests, and nothing is lost") {
  const Action action = GENERATE(Action::halve, Action::bisect);
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(10, 10'000),
                       [=](const Sending&) { return senseless(action); });
  script.run_for(5min);
  CHECK(script.count(Fate::rejected) == 0);
  CHECK(script.sent.size() <= 60);
  // Never a flood: at most so many in any second.
  for (std::size_t i = 12; i < script.sent.size(); ++i)
    CHECK(script.sent[i].now - script.sent[i - 12].now > 1s);
  CHECK(script.machine.state() == State::paused);
}

TEST_CASE(
    "refusals in a row are spaced from the fifth on, each by twice the time of the one before, up to a "
    "bound") {
  MachineScript script(Role::main, settled_limits(), {10'000},
                       [](const Sending&) { return answer(Action::bisect, Reason::duplicate); });
  script.run_for(3s);
  REQUIRE(script.sleeps.size() > 6);
  const std::vector<Duration> first(script.sleeps.begin(), script.sleeps.begin() + 6);
  CHECK(first == std::vector<Duration>{20ms, 40ms, 80ms, 160ms, 250ms, 250ms});
  CHECK(script.sent[4].now - script.sent[0].now == 4 * 5ms);  // the answers' own time
}

TEST_CASE("what passes between refusals takes their spacing back") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(40, 1), [](const Sending& s) {
    if (s.first % 5 == 4) return stored();
    Answer a = answer(Action::bisect, Reason::duplicate);
    a.verdict.understood = true;
    return a;
  });
  script.run();
  CHECK(script.sleeps.empty());
}

TEST_CASE("the same, a sample at a time, is not thrown away sample by sample") {
  const Action action = GENERATE(Action::halve, Action::bisect);
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(100, 1),
                       [=](const Sending&) { return senseless(action); });
  script.run_for(1h);
  CHECK(script.count(Fate::rejected) == 0);
  CHECK(script.sent.size() < 130);
  CHECK(script.machine.state() == State::paused);
}

TEST_CASE("a receiver that refuses everything is not paused for by one batch, nor by words about the data") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(40, 1), [](const Sending& s) {
    if (s.first % 4 == 3) return stored();
    Answer a = answer(Action::bisect, s.first % 4 == 0 ? Reason::bad_request : Reason::out_of_order);
    a.verdict.understood = s.first % 4 != 0;
    return a;
  });
  script.run();
  CHECK(std::find(script.states.begin(), script.states.end(), State::paused) == script.states.end());
  CHECK(script.count(Fate::parked) == 10);
  CHECK(script.count(Fate::rejected) == 20);
}

TEST_CASE("when what refuses everything is repaired, all that waits is sent") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(20, 100), [](const Sending& s) {
    return s.now < Time{1h} + 2h ? senseless(Action::bisect) : stored();
  });
  script.machine.allow_parking(false);
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 0);
  CHECK(script.count(Fate::delivered) >= 1'700);
  CHECK(script.machine.state() != State::paused);
}

// Found by the simulator: with nothing left in the main lane nobody asked the receiver any more.
TEST_CASE("a receiver that is paused for, with all of it parked, is asked for what is parked") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string&) { return status(413); };
  Life life(disk, mgmt);
  for (int i = 0; i < 6; ++i) {
    life.append("abc");
    life.clock.run_for(2min);
  }
  REQUIRE(life.sender->status().main.behind.units == 0);
  REQUIRE(life.sender->status().parked.behind.units == 18);
  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(5min);
  CHECK(mgmt.stored.size() == 18);
  life.check_account();
}

TEST_CASE("while there is no room for what is parked, a receiver that refuses everything is waited for") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(20, 100),
                       [](const Sending&) { return senseless(Action::bisect); });
  script.machine.allow_parking(false);
  script.run_for(6h);
  CHECK(script.count(Fate::parked) <= 200);
  CHECK(script.sent.size() < 6 * 60 * 3);
}

TEST_CASE("a single item that is refused is not asked for twice") {
  const Action action = GENERATE(Action::halve, Action::bisect, Action::park);
  const Role role = GENERATE(Role::main, Role::parked);
  std::size_t asked = 0;
  MachineScript script(role, settled_limits(), {1, 50}, [&](const Sending& s) {
    if (s.first > 0) return stored();
    CHECK_FALSE(s.step.divisible);
    ++asked;
    return answer(action);
  });
  script.run_for(90s);
  CHECK(asked == 1);
}

TEST_CASE("an item is given up for words nobody knows only when others of its batch pass") {
  const std::size_t bad = GENERATE(0, 1, 31, 63);
  MachineScript script(Role::main, settled_limits(), {64, 1}, [=](const Sending& s) {
    return s.holds(bad) || s.first == 64 ? answer(Action::bisect, Reason::bad_request) : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.fates[bad] == std::vector{Fate::rejected});
  CHECK(script.fates[64] == std::vector{Fate::parked});
  CHECK(script.count(Fate::delivered) == 63);
}

TEST_CASE("what is refused while everything is, is not given up because others pass once that is repaired") {
  const auto repaired = Time{1h} + GENERATE(range(5, 100, 5)) * 1s;
  MachineScript script(Role::main, settled_limits(), {1, 1, 3, 5, 2}, [=](const Sending& s) {
    return s.now < repaired ? senseless(Action::bisect) : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 0);
}

TEST_CASE("an item is given up for words nobody knows only when no outage lies between it and what passes") {
  const auto answered = static_cast<std::size_t>(GENERATE(range(2, 12)));  // then an outage
  const bool before = GENERATE(true, false);  // it, or what comes after, refuses everything
  std::size_t requests = 0;
  MachineScript script(Role::main, settled_limits(), {16}, [&](const Sending& s) {
    if (++requests >= answered && requests < answered + 3) return unavailable();
    if (s.holds(15) && requests < answered) return senseless(Action::bisect);
    return before == (requests < answered) ? senseless(Action::bisect) : stored();
  });
  script.run();
  CHECK(script.settled_once());
  for (std::size_t i = 0; i < 15; ++i) CHECK(script.fates[i] != std::vector{Fate::rejected});
}

TEST_CASE(
    "while the queue cannot remember what is to be parked, it is asked for again, and nothing behind it is") {
  MachineScript script(Role::main, settled_limits(), {8, 8},
                       [](const Sending& s) { return s.first < 8 ? senseless(Action::bisect) : stored(); });
  script.markable = false;
  script.run_for(1h);
  CHECK(script.count(Fate::parked) == 0);
  CHECK(script.sent.size() > 60);
  CHECK(script.sent.size() <= 3'700);
  for (const Sending& s : script.sent) CHECK(s.first < 8);
  script.markable = true;
  script.run();
  CHECK(script.count(Fate::parked) == 8);
  CHECK(script.count(Fate::delivered) == 8);
}

// In the next life its refusal for its order would be taken for its arrival: what is newer had passed.
TEST_CASE("nothing newer is sent before the queue remembers that something was set aside") {
  MachineScript script(Role::main, settled_limits(), {8},
                       [](const Sending& s) { return s.holds(0) ? senseless(Action::bisect) : stored(); });
  script.run();
  const auto newer =
      std::find_if(script.sent.begin(), script.sent.end(), [](const Sending& s) { return s.first > 0; });
  REQUIRE(script.marked_at.has_value());
  CHECK(*script.marked_at <= static_cast<std::size_t>(newer - script.sent.begin()));
}

TEST_CASE("what is known to be final is given up without others") {
  MachineScript script(Role::main, settled_limits(), {1}, [](const Sending&) {
    Answer a = answer(Action::bisect, Reason::duplicate);
    a.verdict.understood = true;
    return a;
  });
  script.run();
  CHECK(script.count(Fate::rejected) == 1);
}

TEST_CASE("what is parked of one batch is parked in its order, whenever it was refused") {
  wal::MemStore disk;
  Mgmt mgmt;
  std::string parked;
  mgmt.refuses = [](const std::string&) { return status(400, "no"); };
  Life life(disk, mgmt);
  life.append("ABCDEFGH");
  life.clock.run_for(20s);
  REQUIRE(life.sender->status().parked.behind.units == 8);
  mgmt.refuses = [&parked](const std::string& body) -> std::optional<Result<http::Response>> {
    parked += body;
    return std::nullopt;
  };
  life.clock.run_for(2min);
  CHECK(parked == "ABCDEFGH");
}

TEST_CASE("what a receiver refuses is told in its own words, once for each sample") {
  wal::MemStore disk;
  Mgmt mgmt;
  std::map<Fate, std::uint64_t> told;
  std::string words;
  SenderOptions options;
  options.on_refusal = [&](const Refusal& refusal) {
    told[refusal.fate] += refusal.units;
    words = refusal.sentence;
  };
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('x') != body.npos) return status(400, "Error: no x");
    if (body.find('W') != body.npos) return status(400, "window");
    return std::nullopt;
  };
  Life life(disk, mgmt, options);
  life.append("abxcd");
  life.clock.run_for(10s);
  CHECK(words == "HTTP 400: Error: no x");
  life.append("WWW");
  life.clock.run_for(6h);
  CHECK(told == std::map<Fate, std::uint64_t>{{Fate::rejected, 1}, {Fate::parked, 3}});
}

}  // namespace
}  // namespace tideover::forward
