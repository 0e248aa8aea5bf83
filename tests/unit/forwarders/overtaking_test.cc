// What is sent before something older has arrived, and what the queue must know of it first.
#include <algorithm>

#include "forwarders/sender_machine.h"
#include "tests/unit/forwarders/machine_script.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using wal::Reason;

TEST_CASE("nothing is sent ahead of a failing item before the queue remembers that it may be overtaken") {
  MachineScript script(Role::main, settled_limits(), {4, 4},
                       [](const Sending& s) { return s.holds(2) ? server_error() : stored(); });
  script.run();
  REQUIRE(script.marked_at.has_value());
  for (std::size_t i = 0; i < script.sent.size(); ++i) {
    const Sending& s = script.sent[i];
    if (i < *script.marked_at) CHECK(s.first <= 2);
    CHECK(s.step.overtaken == (i >= *script.marked_at && s.first < 4));
  }
  CHECK(script.fates[2] == std::vector{Fate::quarantined});
}

TEST_CASE("a batch that was sent ahead in vain is in doubt when its turn comes") {
  std::size_t ahead = 0;
  MachineLimits limits = settled_limits();
  limits.doubtful_batches = GENERATE(0U, 2U);
  MachineScript script(Role::main, limits, {1, 4, 1}, [&](const Sending& s) {
    if (s.step.ahead) ++ahead;
    return ahead == 0 || s.step.ahead ? server_error() : stored();
  });
  script.run();
  REQUIRE(ahead == 1);
  for (const Sending& s : script.sent) {
    if (s.first == 1 && !s.step.ahead) CHECK(s.step.in_doubt);
    if (s.first == 5) CHECK_FALSE(s.step.in_doubt);
  }
}

TEST_CASE("what was tried in vain and may have been stored is in doubt, though the answer was no failure") {
  Answer tried = answer(GENERATE(Action::advance, Action::downgrade));
  tried.verdict.losses.push_back({Reason::out_of_order, 1});
  const std::size_t first_batch = GENERATE(1, 2);
  bool tried_once = false;
  std::size_t first_tried = 0;
  MachineScript script(Role::main, settled_limits(), {first_batch, 4}, [&](const Sending& s) {
    if (tried_once) return stored();
    if (!s.step.overtaken && !s.step.ahead) return server_error();
    tried_once = true;
    first_tried = s.first;
    return tried;
  });
  script.run();
  REQUIRE(first_tried == 1);  // the other half, or the next batch
  const Sending& again = *std::find_if(script.sent.rbegin(), script.sent.rend(),
                                       [](const Sending& s) { return s.first == 1 && !s.step.ahead; });
  CHECK(again.step.in_doubt);
}

TEST_CASE("while the queue cannot remember it, a failing item is not overtaken") {
  MachineScript script(Role::main, settled_limits(), {4, 4},
                       [](const Sending& s) { return s.holds(2) ? server_error() : stored(); });
  script.markable = false;
  script.run_for(2h);
  CHECK(script.count(Fate::quarantined) == 0);
  for (const Sending& s : script.sent) CHECK(s.first <= 2);
  script.markable = true;
  script.run();
  CHECK(script.fates[2] == std::vector{Fate::quarantined});
}

TEST_CASE("nothing is sent behind what is parked before the queue remembers that it may be overtaken") {
  MachineScript script(Role::main, settled_limits(), {4, 4}, [](const Sending& s) {
    return s.holds(1) ? answer(Action::park, Reason::out_of_bounds) : stored();
  });
  script.markable = false;
  script.run_for(1h);
  for (const Sending& s : script.sent) CHECK(s.first == 0);
  CHECK(script.sent.size() <= 3601);  // a disk that fails makes no hot loop
  CHECK(script.count(Fate::parked) == 0);
  script.markable = true;
  script.run();
  CHECK(script.count(Fate::parked) == 4);
  CHECK(script.count(Fate::delivered) == 4);
  for (const Sending& s : script.sent) CHECK_FALSE(s.step.overtaken);  // what is left is younger
}

TEST_CASE("a disk that fails makes no hot loop, whatever is to be set aside and for whichever reason") {
  const std::size_t every = GENERATE(1, 2, 3, 7);
  const bool named = GENERATE(false, true);
  const Time repaired = Time{1h} + GENERATE(1s, 10s, 40s, 3h);
  MachineScript script(Role::main, settled_limits(), {2'000, 4}, [=](const Sending& s) {
    if (s.now > repaired) return stored();
    Answer refused = answer(Action::bisect, Reason::bad_request);
    for (std::size_t i = s.first; i < s.last; ++i)
      if (i < 2'000 && i % every == 0) refused.verdict.named.push_back({i - s.first, i - s.first + 1});
    if (refused.verdict.named.empty()) return stored();
    if (!named) refused.verdict.named.clear();
    return refused;
  });
  script.markable = false;
  script.run_for(1h);
  CHECK(script.marks_asked <= 3601);
  CHECK(script.count(Fate::parked) == 0);
  script.markable = true;
  script.run();
  CHECK(script.settled_once());
}

TEST_CASE("what an earlier life marked is overtaken from its first request on") {
  SenderMachine machine(Role::main, settled_limits(), 1);
  machine.resume(Event::proceed(), Time{1h});
  const Loaded marked{.units = 10, .found_at_start = true, .overtaken = true, .remembered = true};
  CHECK(machine.resume(Event::loaded(marked), Time{1h}).overtaken);
}

// Found by the simulator: what an earlier life marked was merged with what it had not.
TEST_CASE("a batch of which only the front was marked is marked anew before anything is parked of it") {
  SenderMachine machine(Role::main, settled_limits(), 1);
  const Time now{1h};
  machine.resume(Event::proceed(), now);
  const bool whole = GENERATE(false, true);
  machine.resume(Event::loaded({.units = 10, .overtaken = true, .remembered = whole}), now);
  const Step step = machine.resume(Event::answered(answer(Action::park, Reason::out_of_bounds)), now);
  CHECK(step.kind == (whole ? Step::Kind::settle : Step::Kind::mark));
}

}  // namespace
}  // namespace tideover::forward
