// What a sender does not ask of its receiver, and what it does not learn from itself.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/unit/forwarders/machine_script.h"
#include "tests/unit/forwarders/sender_life.h"

namespace tideover::forward {
namespace {

TEST_CASE(
    "a paused receiver is asked once per pause, and what is parked or quarantined waits with the rest") {
  wal::MemStore disk;
  Mgmt mgmt;
  mgmt.refuses = [](const std::string& body) -> std::optional<Result<http::Response>> {
    if (body.find('W') != body.npos) return status(400, "window");
    if (body.find('x') != body.npos) return status(500, "panic");
    return std::nullopt;
  };
  Life life(disk, mgmt);
  life.append("W");
  life.append("ax");
  life.append("b");
  life.clock.run_for(30min);
  REQUIRE(life.sender->status().parked.behind.units == 1);
  REQUIRE(life.sender->status().quarantine.behind.units == 1);

  std::vector<std::string> asked;
  mgmt.refuses = [&asked](const std::string& body) {
    asked.push_back(body);
    return status(401, "who are you");
  };
  life.append("c");
  life.clock.run_for(1min);
  REQUIRE(life.sender->status().state == State::paused);
  asked.clear();
  life.clock.run_for(30min);
  CHECK(asked.size() >= 30);  // a pause takes 30 to 60 s
  CHECK(asked.size() <= 60);
  for (const std::string& body : asked) CHECK(body == "c");

  mgmt.refuses = [](const std::string&) { return std::nullopt; };
  life.clock.run_for(10min);
  const SenderStatus s = life.sender->status();
  CHECK(s.main.behind.units + s.parked.behind.units + s.quarantine.behind.units == 0);
  life.check_account();
}

// Until the machine wants to send; a batch of `items`.
Step first_request(SenderMachine& machine, std::size_t items, Time now) {
  Step step = machine.resume(Event::proceed(), now);
  while (step.kind != Step::Kind::send) {
    if (step.kind == Step::Kind::read) step = machine.resume(Event::loaded({items}), now);
    if (step.kind == Step::Kind::count) step = machine.resume(Event::counted(items), now);
    REQUIRE(
        (step.kind == Step::Kind::send || step.kind == Step::Kind::read || step.kind == Step::Kind::count));
  }
  return step;
}

TEST_CASE("a request that never left, too large to be made, says nothing about what the receiver takes") {
  const Time now{std::chrono::hours(1)};
  Answer too_large = answer(Action::halve, wal::Reason::too_large);
  const RequestLimits limits = settled_limits().request;

  SenderMachine told(Role::main, settled_limits(), 1);
  (void)first_request(told, 1000, now);
  too_large.units = 1000;
  (void)told.resume(Event::answered(too_large), now);
  CHECK(told.request_limits().units == 500);

  SenderMachine guessed(Role::main, settled_limits(), 1);
  (void)first_request(guessed, 1000, now);
  too_large.units = 0;
  (void)guessed.resume(Event::answered(too_large), now);
  CHECK(guessed.request_limits().units == limits.units);
}

// What a receiver has said is regained after 64 full requests, what a slow line has shown after eight.
TEST_CASE("a request that never left, too large to be made, makes no size harder to regain") {
  std::size_t requests = 0;
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(12, 1'000),
                       [&](const Sending&) {
                         ++requests;
                         if (requests == 1) return answer(Action::halve, wal::Reason::too_large);
                         if (requests != 4 && requests != 5) return stored();
                         Answer silence = server_error();
                         silence.silent = true;
                         return silence;
                       });
  script.local_refusals = true;
  script.run();
  CHECK(script.sent[5].items() == 500);  // after two attempts without an answer
  CHECK(script.sent.back().items() == 1'000);
}

TEST_CASE("a request that never left is no sign of life of a receiver that is down") {
  const Time returns{std::chrono::hours(2)};
  MachineScript script(Role::main, settled_limits(), {1'000}, [=](const Sending& s) {
    if (s.items() != 500) return s.now < returns ? server_error() : stored();
    Answer too_large = answer(Action::halve, wal::Reason::too_large);
    too_large.bytes = 0;
    too_large.latency = {};
    return too_large;
  });
  script.local_refusals = true;
  script.run();
  const auto left_down = [](State before, State after) { return before == State::down && after != before; };
  const auto first = std::adjacent_find(script.states.begin(), script.states.end(), left_down);
  REQUIRE(first != script.states.end());
  CHECK(std::adjacent_find(first + 1, script.states.end(), left_down) == script.states.end());
  CHECK(script.settled_once());
}

}  // namespace
}  // namespace tideover::forward
