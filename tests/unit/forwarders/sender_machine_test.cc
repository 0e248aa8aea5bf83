#include "forwarders/sender_machine.h"

#include <algorithm>
#include <set>

#include "tests/unit/forwarders/machine_script.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using wal::Reason;

// Refuses whatever holds one of `bad`, and stores nothing of it (Prometheus, Remote Write 1.0).
MachineScript::Receiver refuses(std::set<std::size_t> bad, Reason reason = Reason::bad_request) {
  return [bad = std::move(bad), reason](const Sending& s) {
    const auto first = bad.lower_bound(s.first);
    return first != bad.end() && *first < s.last ? answer(Action::bisect, reason) : stored();
  };
}

bool in_order(const std::vector<Sending>& sent) {
  std::size_t highest = 0;
  for (const Sending& s : sent) {
    if (!s.taken) continue;
    if (s.first < highest) return false;
    highest = s.last;
  }
  return true;
}

TEST_CASE("a healthy receiver gets each batch in one request, at once") {
  MachineScript script(Role::main, settled_limits(), {100, 200, 300},
                       [](const Sending&) { return stored(); });
  script.run();
  CHECK(script.sent.size() == 3);
  CHECK(script.sleeps.empty());
  CHECK(script.count(Fate::delivered) == 600);
  CHECK(script.states == std::vector{State::up});
}

TEST_CASE("a poison item among 10,000 is found, the rest is delivered, within the request budget") {
  const std::size_t bad = GENERATE(0, 1, 4'999, 5'000, 7'777, 9'999);
  MachineScript script(Role::main, settled_limits(), {10'000}, refuses({bad}));
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 9'999);
  CHECK(script.fates[bad] == std::vector{Fate::rejected});
  CHECK(script.sent.size() <= 2 * 14 + 16);
  CHECK(in_order(script.sent));
}

TEST_CASE("a few poison items are all found") {
  MachineScript script(Role::main, settled_limits(), {10'000}, refuses({17, 18, 5'000, 9'998}));
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 4);
  CHECK(script.count(Fate::delivered) == 9'996);
}

TEST_CASE("when most halves fail the search ends, and what was not taken is parked") {
  MachineScript script(Role::main, settled_limits(), {10'000, 10'000, 50}, [](const Sending& s) {
    return s.first >= 20'000 ? stored() : answer(Action::bisect, Reason::out_of_bounds);
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 50);
  CHECK(script.count(Fate::parked) > 19'900);
  // The second batch is known to be hopeless sooner than the first.
  const auto of_second = std::count_if(script.sent.begin(), script.sent.end(), [](const Sending& s) {
    return s.first >= 10'000 && s.first < 20'000;
  });
  CHECK(script.sent.size() - of_second <= 40);
  CHECK(of_second <= 8);
}

TEST_CASE("a batch whose every third item is bad costs a bounded number of requests and loses nothing") {
  MachineScript script(Role::main, settled_limits(), {9'000}, [](const Sending& s) {
    return s.items() > 2 || s.first % 3 == 0 || (s.items() == 2 && s.first % 3 == 2)
               ? answer(Action::bisect, Reason::bad_request)
               : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.sent.size() <= 8 * (2 * 14 + 16) + 2 * 14);
  for (std::size_t i = 0; i < 9'000; ++i)
    if (script.fates[i].front() == Fate::rejected) CHECK(i % 3 == 0);
}

TEST_CASE("what the window refuses is parked, and the next batch goes on") {
  MachineScript script(Role::main, settled_limits(), {10, 10}, [](const Sending& s) {
    return s.first == 0 ? answer(Action::park, Reason::out_of_bounds) : stored();
  });
  script.run();
  CHECK(script.count(Fate::parked) == 10);
  CHECK(script.count(Fate::delivered) == 10);
  CHECK(script.sent.size() == 2);
}

TEST_CASE("a batch that has arrived, and is refused for its order, is settled item by item") {
  bool first = true;
  MachineScript script(Role::main, settled_limits(), {1'000}, [&first](const Sending& s) {
    if (std::exchange(first, false)) return server_error();
    if (!s.step.divisible && s.step.in_doubt) {
      Answer a = stored();
      a.verdict.probable_duplicate = true;
      return a;
    }
    return answer(Action::bisect, Reason::out_of_order);
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 1'000);
}

TEST_CASE("a batch of which only the front has arrived is not taken for arrived: the rest is delivered") {
  bool first = true;
  std::size_t stored_items = 700;
  MachineScript script(Role::main, settled_limits(), {1'000}, [&](const Sending& s) {
    if (std::exchange(first, false)) return server_error();
    if (s.first < stored_items) {  // takes a request whole or not at all
      Answer a = answer(Action::bisect, Reason::out_of_order);
      if (!s.step.divisible) a.verdict.action = Action::advance;
      a.verdict.probable_duplicate = !s.step.divisible;
      return a;
    }
    CHECK(s.first == stored_items);
    stored_items = s.last;
    return stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(stored_items == 1'000);
}

TEST_CASE("silence is no proof of poison: an outage of timeouts settles nothing and breaks no order") {
  std::size_t sends = 0;
  std::size_t next_item = 0;
  MachineScript script(Role::main, settled_limits(), {100, 100, 100}, [&](const Sending& s) {
    if (++sends < 40) {
      Answer a = server_error();
      a.silent = true;
      return a;
    }
    CHECK(s.first == next_item);
    next_item = s.last;
    return stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 300);
}

TEST_CASE("the same refusal on first attempts is no proof of arrival: it is parked") {
  MachineScript script(Role::main, settled_limits(), {1'000},
                       [](const Sending&) { return answer(Action::bisect, Reason::out_of_order); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 0);
  CHECK(script.count(Fate::parked) >= 990);
}

TEST_CASE("413 halves down to what fits, and the size is remembered") {
  std::size_t refused = 0;
  MachineScript script(Role::main, settled_limits(), {8'000, 8'000}, [&refused](const Sending& s) {
    if (s.items() <= 1'000) return stored();
    ++refused;
    return answer(Action::halve, Reason::too_large);
  });
  script.run();
  CHECK(script.count(Fate::delivered) == 16'000);
  CHECK(refused == 3);  // 8000, 4000, 2000: and never again for the second batch
  CHECK(script.limits_at_read.units == 1'000);
  CHECK(script.limits_at_read.raw_bytes < 3 << 20);
}

TEST_CASE("an item that is too large even alone is parked, and its size is no rule for the others") {
  MachineScript script(Role::main, settled_limits(), {4, 1'000}, [](const Sending& s) {
    return s.holds(2) ? answer(Action::halve, Reason::too_large) : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 1'003);
  CHECK(script.fates[2] == std::vector{Fate::parked});
  CHECK(script.sent.back().items() == 1'000);
}

TEST_CASE("the working size grows again after many requests that passed") {
  std::vector<std::size_t> batches(200, 1'000);
  bool first = true;
  MachineScript script(Role::main, settled_limits(), batches, [&first](const Sending&) {
    return std::exchange(first, false) ? answer(Action::halve, Reason::too_large) : stored();
  });
  script.run();
  CHECK(script.limits_at_read.units > 500);
  CHECK(script.limits_at_read.units < 10'000);
}

TEST_CASE("what a receiver of another version did not understand is sent again at once") {
  bool asked = false;
  MachineScript script(Role::main, settled_limits(), {10, 10}, [&asked](const Sending& s) {
    if (std::exchange(asked, true)) return stored();
    CHECK_FALSE(s.step.in_doubt);
    return answer(Action::downgrade, Reason::unsupported);
  });
  script.run();
  CHECK(script.sent.size() == 3);
  CHECK(script.sleeps.empty());
  CHECK(script.count(Fate::delivered) == 20);
}

TEST_CASE("a receiver that takes neither version costs the batch, not the lane") {
  MachineScript script(Role::main, settled_limits(), {10, 10}, [](const Sending& s) {
    return s.first == 0 ? answer(Action::downgrade, Reason::unsupported) : stored();
  });
  script.run();
  CHECK(script.count(Fate::rejected) == 10);
  CHECK(script.count(Fate::delivered) == 10);
}

TEST_CASE("a configuration fault keeps everything, and is probed every 30 to 60 seconds") {
  std::size_t asked = 0;
  MachineScript script(Role::main, settled_limits(), {10},
                       [&asked](const Sending&) { return ++asked <= 20 ? answer(Action::pause) : stored(); });
  script.run();
  CHECK(script.count(Fate::delivered) == 10);
  REQUIRE(script.sleeps.size() == 20);
  for (const Duration sleep : script.sleeps) {
    CHECK(sleep > 29s);
    CHECK(sleep < 60s);
  }
  CHECK(std::count(script.states.begin(), script.states.end(), State::paused) == 1);
}

TEST_CASE(
    "while the receiver is down the oldest batch is the only probe, and everything arrives in the end") {
  MachineScript script(Role::main, settled_limits(), {10, 10, 10},
                       [](const Sending& s) { return s.now < Time{1h} + 10min ? unreachable() : stored(); });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 30);
  for (const Sending& s : script.sent)
    if (s.now < Time{1h} + 10min) CHECK(s.first == 0);
  for (std::size_t i = 1; i + 1 < script.sleeps.size() && script.sleeps[i] > 1s; ++i)
    CHECK(script.sleeps[i].count() >= 0.8 * script.sleeps[i - 1].count());
  CHECK(script.states == std::vector{State::up, State::down, State::replaying});
}

TEST_CASE("an outage of 5xx settles nothing and breaks no order") {
  const auto outage = GENERATE(1s, 60s, 3600s);
  MachineScript script(Role::main, settled_limits(), {1'000, 1'000}, [outage](const Sending& s) {
    return s.now < Time{1h} + outage ? unavailable() : stored();
  });
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::delivered) == 2'000);
  CHECK(in_order(script.sent));
}

TEST_CASE("after an outage every node waits a random part of five seconds before it replays") {
  std::set<Duration> delays;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::optional<Time> recovered;
    std::optional<Time> next;
    MachineScript script(
        Role::main, settled_limits(), {10, 10},
        [&](const Sending& s) {
          if (s.now < Time{1h} + 10min) return unreachable();
          if (!recovered)
            recovered = s.now;
          else if (!next)
            next = s.now;
          return stored();
        },
        seed);
    script.run();
    delays.insert(*next - *recovered);
  }
  CHECK(delays.size() == 20);
  CHECK(*delays.rbegin() <= 5s + 10ms);
  CHECK(*delays.rbegin() - *delays.begin() > 2s);
}

TEST_CASE("a poke probes the parked lane at once") {
  SenderMachine machine(Role::parked, settled_limits(), 1);
  const Time now{1h};
  machine.resume(Event::proceed(), now);
  CHECK(machine.resume(Event::loaded({.units = 10}), now).kind == Step::Kind::sleep);
  machine.poke();
  CHECK(machine.resume(Event::proceed(), now).kind == Step::Kind::send);
}

TEST_CASE("whoever stops it is obeyed from any state") {
  SenderMachine machine(Role::main, settled_limits(), 1);
  machine.resume(Event::proceed(), Time{1h});
  machine.resume(Event::loaded({.units = 10}), Time{1h});
  CHECK(machine.resume(Event::stop(), Time{1h}).kind == Step::Kind::stop);
  CHECK(machine.state() == State::stopped);
}

TEST_CASE("an old backlog that is found at a start is replayed gently") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(50, 1'000), [](const Sending&) {
    Answer a = stored();
    a.bytes = 1 << 20;
    return a;
  });
  script.machine.begin_replay(script.now);
  CHECK(script.machine.state() == State::replaying);
  script.run();
  CHECK(script.now - Time{1h} > 5s);
  CHECK(script.now - Time{1h} < 20s);
}

TEST_CASE("an operator who repaired the receiver need not wait for the next probe") {
  SenderMachine machine(Role::main, settled_limits(), 1);
  const Time now{1h};
  machine.resume(Event::proceed(), now);
  machine.resume(Event::loaded({.units = 10}), now);
  const Answer fault = GENERATE(answer(Action::pause), unreachable());
  CHECK(machine.resume(Event::answered(fault), now).kind == Step::Kind::sleep);
  machine.poke();
  CHECK(machine.resume(Event::proceed(), now).kind == Step::Kind::send);
}

TEST_CASE("the first batches of a life are in doubt, later ones are not") {
  MachineLimits limits;
  limits.doubtful_batches = 2;
  MachineScript script(Role::main, limits, {1, 1, 1}, [](const Sending&) { return stored(); });
  script.run();
  CHECK(script.sent[0].step.in_doubt);
  CHECK(script.sent[1].step.in_doubt);
  CHECK_FALSE(script.sent[2].step.in_doubt);
}

// The helper that re-runs an exchange failing at every step k: whatever happens at k, the end is the same.
void same_end_when_step_fails(const std::function<MachineScript::Receiver()>& receiver,
                              const std::vector<std::size_t>& batches, std::size_t poison) {
  MachineScript undisturbed(Role::main, settled_limits(), batches, receiver());
  undisturbed.run();
  for (const auto& fault : {server_error(), unavailable(), unreachable(), answer(Action::pause)}) {
    for (std::size_t k = 0; k < undisturbed.sent.size(); ++k) {
      std::size_t n = 0;
      const auto inner = receiver();
      MachineScript disturbed(Role::main, settled_limits(), batches,
                              [&](const Sending& s) { return n++ == k ? fault : inner(s); });
      disturbed.run();
      CHECK(disturbed.settled_once());
      CHECK(disturbed.fates[poison] == undisturbed.fates[poison]);
      CHECK(disturbed.count(Fate::delivered) == undisturbed.count(Fate::delivered));
    }
  }
}

TEST_CASE("one failed request anywhere in an exchange changes nothing of its end") {
  same_end_when_step_fails([] { return refuses({37}); }, {100, 100}, 37);
  same_end_when_step_fails(
      [] {
        return [](const Sending& s) {
          if (s.items() > 25) return answer(Action::halve, Reason::too_large);
          return s.holds(60) ? answer(Action::bisect, Reason::bad_request) : stored();
        };
      },
      {100, 10}, 60);
}

TEST_CASE("whatever the receiver answers, every item is settled exactly once") {
  const auto seed = static_cast<std::uint64_t>(GENERATE(range(1, 301)));
  INFO("seed " << seed);
  Rng rng(seed);
  const Role role = static_cast<Role>(rng.below(3));
  const double bad = rng.unit() * 0.9;
  std::vector<std::size_t> batches;
  for (int i = 0; i < 5; ++i) batches.push_back(1 + rng.below(rng.chance(0.3) ? 2'000 : 8));
  std::size_t asked = 0;
  MachineScript script(
      role, MachineLimits{}, batches,
      [&](const Sending& s) {
        if (++asked > 4'000 || !rng.chance(bad)) return stored();  // a receiver that gets well at last
        switch (rng.below(8)) {
          case 0: return unavailable();
          case 1: return server_error();
          case 2: return unreachable();
          case 3: return answer(Action::pause);
          case 4: return answer(Action::park, Reason::out_of_bounds);
          case 5: return answer(Action::halve, Reason::too_large);
          case 6: {
            Answer a = answer(Action::bisect, rng.chance(0.5) ? Reason::out_of_order : Reason::bad_request);
            a.verdict.rest_stored = rng.chance(0.5);
            return a;
          }
        }
        Answer a = rng.chance(0.3) ? answer(Action::downgrade, Reason::unsupported) : stored();
        if (rng.chance(0.5))
          a.verdict.losses.push_back({Reason::duplicate, std::min<std::size_t>(1, s.items())});
        return a;
      },
      seed);
  script.run();
  CHECK(script.settled_once());
}

}  // namespace
}  // namespace tideover::forward
