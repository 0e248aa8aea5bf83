// A batch that must be cut before it is sent: whatever the receiver says, and however often, no request spans
// a border.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/forwarders/machine_script.h"
#include "wal/base/rng.h"

namespace tideover::forward {
namespace {

constexpr std::size_t kItems = 60;
const std::vector<std::size_t> kBorders = {1, 20, 21, 45, kItems};

bool spans_a_border(const Sending& s) {
  if (s.step.ahead) return false;
  const std::size_t first = s.first % kItems;
  const std::size_t last = first + s.items();
  return std::any_of(kBorders.begin(), kBorders.end(),
                     [&](std::size_t border) { return first < border && border < last; });
}

void check_borders(const MachineScript& script) {
  for (const Sending& s : script.sent) {
    INFO(s.first << " to " << s.last);
    REQUIRE_FALSE(spans_a_border(s));
  }
}

TEST_CASE("a batch with borders goes out in as many requests as they make, in order") {
  MachineScript script(Role::main, settled_limits(), {kItems, kItems},
                       [](const Sending&) { return stored(); });
  script.borders = kBorders;
  script.run();
  REQUIRE(script.settled_once());
  REQUIRE(script.sent.size() == 2 * kBorders.size());
  std::size_t at = 0;
  for (const Sending& s : script.sent) {
    CHECK(s.first == at);
    at = s.last;
  }
  check_borders(script);
}

TEST_CASE("what waits for a receiver without a lane for it still waits in its parts") {
  MachineLimits limits = settled_limits();
  limits.parks = false;
  std::size_t refused = 0;
  MachineScript script(Role::main, limits, {kItems}, [&refused](const Sending&) {
    if (refused == 40) return stored();
    ++refused;  // in words that nobody knows
    return answer(Action::bisect);
  });
  script.borders = kBorders;
  script.run();
  CHECK(refused == 40);
  REQUIRE(script.settled_once());
  CHECK(script.count(Fate::delivered) == kItems);
  check_borders(script);
}

TEST_CASE("a part that fails for ever is set aside although what it is tried beside must be cut by then") {
  MachineScript* running = nullptr;
  MachineScript script(Role::main, settled_limits(), {kItems}, [&running](const Sending& s) {
    if (!s.holds(0)) return stored();  // the first item is a piece by itself
    running->borders = {1, 20, kItems};
    return server_error();
  });
  running = &script;
  script.borders = {1, kItems};
  script.run();
  REQUIRE(script.settled_once());
  CHECK(script.count(Fate::quarantined) == 1);
  CHECK(script.count(Fate::delivered) == kItems - 1);
}

TEST_CASE("no request spans a border, whatever the receiver answers") {
  const auto seed = GENERATE(range(1u, 200u));
  CAPTURE(seed);
  Rng rng(seed);
  MachineLimits limits = settled_limits();
  limits.parks = rng.chance(0.5);
  std::size_t left = 300;  // then it takes everything
  MachineScript script(
      Role::main, limits, {kItems, kItems, kItems},
      [&](const Sending& s) {
        if (left == 0 || rng.chance(0.4)) return stored();
        --left;
        switch (rng.below(6)) {
          case 0: return unavailable();
          case 1: return server_error();
          case 2: return answer(Action::halve, wal::Reason::too_large);
          case 3: return answer(Action::park, wal::Reason::out_of_bounds);
          case 4: {
            Answer a = answer(Action::bisect);
            a.verdict.understood = true;
            a.verdict.rest_stored = rng.chance(0.5);
            a.verdict.named = {{0, std::min<std::size_t>(2, s.items())}};
            return a;
          }
          default: return answer(Action::bisect);
        }
      },
      seed);
  script.borders = kBorders;
  script.run();
  REQUIRE(script.settled_once());
  check_borders(script);
}

}  // namespace
}  // namespace tideover::forward
