// A receiver that names the items that it refuses: those have their fate at once, and the rest costs as few
// requests as there are runs of it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/forwarders/machine_script.h"

namespace tideover::forward {
namespace {

using wal::Reason;
using namespace std::chrono_literals;

constexpr std::size_t kItems = 100;

// Names those of `bad` that a request holds.
struct Namer {
  std::set<std::size_t> bad;
  Action action = Action::bisect;
  Reason reason = Reason::bad_request;
  bool understood = true;
  bool rest_stored = false;

  Answer operator()(const Sending& s) const {
    Answer a = answer(action, reason);
    a.verdict.understood = understood;
    a.verdict.rest_stored = rest_stored;
    for (const std::size_t item : bad)
      if (s.holds(item)) a.verdict.named.push_back({item - s.first, item - s.first + 1});
    return a.verdict.named.empty() ? stored() : a;
  }
};

std::set<std::size_t> items(std::size_t first, std::size_t last) {
  std::set<std::size_t> all;
  for (std::size_t i = first; i < last; ++i) all.insert(i);
  return all;
}

void check_fates(const MachineScript& script, const std::set<std::size_t>& bad, Fate fate) {
  REQUIRE(script.settled_once());
  for (std::size_t i = 0; i < script.fates.size(); ++i) {
    INFO("item " << i);
    CHECK(script.fates[i].front() == (bad.count(i) > 0 ? fate : Fate::delivered));
  }
}

struct Case {
  std::set<std::size_t> bad;
  std::size_t runs;  // of what is not bad
};

const Case kCases[] = {
    {{0}, 1},              // the first
    {{kItems - 1}, 1},     // the last
    {{40}, 2},             // in the middle
    {items(40, 60), 2},    // several, one beside the other
    {{3, 40, 41, 99}, 3},  // several, here and there
    {items(0, kItems), 0}  // all
};

TEST_CASE(
    "what the receiver names is rejected, and the rest is sent again in one request for each run of it") {
  const Case& c = kCases[GENERATE(range(std::size_t{0}, std::size(kCases)))];
  MachineScript script(Role::main, settled_limits(), {kItems}, Namer{c.bad});
  script.run();
  check_fates(script, c.bad, Fate::rejected);
  CHECK(script.sent.size() == 1 + c.runs);
}

TEST_CASE("what the receiver names is rejected, and what it has stored beside it is not sent again") {
  const Case& c = kCases[GENERATE(range(std::size_t{0}, std::size(kCases)))];
  MachineScript script(Role::main, settled_limits(), {kItems}, Namer{.bad = c.bad, .rest_stored = true});
  script.run();
  check_fates(script, c.bad, Fate::rejected);
  CHECK(script.sent.size() == 1);
}

TEST_CASE("what the receiver names and refuses for now is parked, and nothing else") {
  const Case& c = kCases[GENERATE(range(std::size_t{0}, std::size(kCases)))];
  const bool rest_stored = GENERATE(true, false);
  MachineScript script(Role::main, settled_limits(), {kItems},
                       Namer{c.bad, Action::park, Reason::out_of_bounds, false, rest_stored});
  script.run();
  check_fates(script, c.bad, Fate::parked);
  CHECK(script.sent.size() == 1 + (rest_stored ? 0 : c.runs));
  REQUIRE(script.marked_at.has_value());  // before anything newer was sent
  CHECK((rest_stored || c.bad.count(0) == 0 || *script.marked_at == 1));
}

TEST_CASE("what is named in words that nobody knows is kept") {
  const bool rest_stored = GENERATE(true, false);
  MachineScript script(Role::main, settled_limits(), {kItems},
                       Namer{.bad = {7, 8}, .understood = false, .rest_stored = rest_stored});
  script.run();
  check_fates(script, {7, 8}, Fate::parked);
}

TEST_CASE("a receiver that names one item after another is asked once for each") {
  const std::set<std::size_t> bad{5, 17, 40, 80};
  MachineScript script(Role::main, settled_limits(), {kItems}, [&](const Sending& s) {
    const auto first = bad.lower_bound(s.first);
    if (first == bad.end() || !s.holds(*first)) return stored();
    return Namer{{*first}}(s);
  });
  script.run();
  check_fates(script, bad, Fate::rejected);
  CHECK(script.sent.size() == 1 + 2 * bad.size());
}

TEST_CASE("names count from the first item of what was sent, whatever was cut before") {
  const std::set<std::size_t> bad{0, 24, 25, 26, 50, 99};
  MachineLimits limits = settled_limits();
  const bool rest_stored = GENERATE(true, false);
  SECTION("for its size") { limits.request.units = 7; }
  SECTION("by a search, before the receiver began to name") {}
  std::size_t requests = 0;
  MachineScript script(Role::main, limits, {kItems}, [&](const Sending& s) {
    if (limits.request.units != 7 && ++requests <= 3) return answer(Action::bisect);
    return Namer{.bad = bad, .rest_stored = rest_stored}(s);
  });
  script.run();
  check_fates(script, bad, Fate::rejected);
}

TEST_CASE("names may come in any order, twice, and overlap") {
  MachineScript script(Role::main, settled_limits(), {kItems}, [](const Sending& s) {
    if (s.items() < kItems) return stored();
    Answer a = answer(Action::bisect);
    a.verdict.understood = true;
    a.verdict.named = {{50, 60}, {10, 20}, {55, 65}, {10, 20}, {20, 21}};
    return a;
  });
  script.run();
  std::set<std::size_t> bad = items(10, 21);
  bad.merge(items(50, 65));
  check_fates(script, bad, Fate::rejected);
  CHECK(script.sent.size() == 4);
}

TEST_CASE("who names what was not sent is not believed, and the bad item is found as ever") {
  const Part wrong = GENERATE(Part{90, 101}, Part{100, 101}, Part{5, 5}, Part{6, 5}, Part{});
  const bool beside_a_right_one = GENERATE(true, false);
  MachineScript script(Role::main, settled_limits(), {kItems}, [&](const Sending& s) {
    if (!s.holds(30)) return stored();
    Answer a = answer(Action::bisect);
    a.verdict.understood = true;
    a.verdict.named.push_back(wrong);
    if (s.items() == 1) a.verdict.named = {{7, 9}};
    if (beside_a_right_one) a.verdict.named.push_back({0, 1});
    return a;
  });
  script.run();
  REQUIRE(script.settled_once());
  CHECK(script.fates[30] == std::vector{Fate::rejected});
}

TEST_CASE("what is named as having arrived before is delivered, once") {
  MachineScript script(Role::main, settled_limits(), {kItems}, [&](const Sending& s) {
    if (s.step.retry == 0 && s.items() == kItems) return unavailable();
    Answer a = Namer{.bad = items(0, 40), .reason = Reason::duplicate}(s);
    a.verdict.probable_duplicate = s.step.in_doubt && !a.verdict.named.empty();
    return a;
  });
  script.run();
  check_fates(script, {}, Fate::rejected);
  CHECK(script.sent.size() == 3);
}

// The rest of what is in doubt is in doubt, too.
TEST_CASE("what is in doubt stays in doubt beside what is named") {
  MachineScript script(Role::main, settled_limits(), {kItems}, [&](const Sending& s) {
    if (s.step.retry == 0 && s.items() == kItems) return unavailable();
    CHECK(s.step.in_doubt);
    return Namer{{50}}(s);
  });
  script.run();
  check_fates(script, {50}, Fate::rejected);
}

TEST_CASE("in a side lane what is named is put back, and the rest arrives") {
  const bool rest_stored = GENERATE(true, false);
  const Role role = GENERATE(Role::parked, Role::quarantine);
  MachineScript script(role, settled_limits(), {kItems, 1},
                       Namer{{0, 50, 51}, Action::park, Reason::out_of_bounds, false, rest_stored});
  script.run();
  check_fates(script, {0, 50, 51}, Fate::parked);
  CHECK(script.sent.size() == 2 + (rest_stored ? 0U : 2U));
}

TEST_CASE("in a side lane what is named as bad is given up") {
  MachineScript script(Role::parked, settled_limits(), {kItems}, Namer{.bad = {0, 99}, .rest_stored = true});
  script.run();
  check_fates(script, {0, 99}, Fate::rejected);
}

TEST_CASE("a receiver that stores what it does not name is sent the next batch at once") {
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(50, 10),
                       [](const Sending& s) { return Namer{.bad = {s.first}, .rest_stored = true}(s); });
  script.run();
  CHECK(script.count(Fate::delivered) == 450);
  CHECK(script.sleeps.empty());
}

TEST_CASE("a receiver that names all of everything, in words that nobody knows, is waited for") {
  const bool room = GENERATE(true, false);
  MachineScript script(Role::main, settled_limits(), std::vector<std::size_t>(20, 10), [](const Sending& s) {
    if (s.now > Time{1h} + 2h) return stored();
    return Namer{.bad = items(s.first, s.last), .understood = false}(s);
  });
  script.machine.allow_parking(room);
  script.run_for(10min);
  CHECK(script.machine.state() == State::paused);
  CHECK(script.sent.size() < 30);
  script.run();
  CHECK(script.settled_once());
  CHECK(script.count(Fate::rejected) == 0);
}

TEST_CASE("while the queue cannot remember what is to be parked, nothing newer than what is named is sent") {
  MachineScript script(Role::main, settled_limits(), {kItems},
                       Namer{{10}, Action::park, Reason::out_of_bounds, false, false});
  script.markable = false;
  script.run_for(1min);
  CHECK(script.sent.size() < 70);
  for (const Sending& s : script.sent) CHECK((s.items() == kItems || s.last <= 11));
  script.markable = true;
  script.run();
  check_fates(script, {10}, Fate::parked);
}

TEST_CASE("without parking, what is named and refused for now waits, and all of it arrives") {
  const bool rest_stored = GENERATE(true, false);
  MachineLimits limits = settled_limits();
  limits.parks = false;
  MachineScript script(Role::main, limits, {kItems}, [&](const Sending& s) {
    if (s.now > Time{1h} + 1h) return stored();
    return Namer{{10, 60}, Action::park, Reason::out_of_bounds, false, rest_stored}(s);
  });
  script.run_for(30min);
  CHECK(script.machine.state() == State::paused);
  script.run();
  check_fates(script, {}, Fate::parked);
  CHECK(script.sent.size() < 120);
}

}  // namespace
}  // namespace tideover::forward
