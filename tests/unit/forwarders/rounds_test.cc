#include "forwarders/rounds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using Place = Rounds::Place;

constexpr Rounds::Turn kInVain{.passed = 0, .refused = 1, .close = false};
constexpr Rounds::Turn kPassed{.passed = 1, .refused = 0, .close = false};
constexpr Rounds::Turn kInPart{.passed = 1, .refused = 1, .close = false};

TEST_CASE("rounds in vain grow rare, one in which something passes is followed soon") {
  Rounds rounds({});
  Time now{1h};
  std::vector<Duration> rests;
  REQUIRE(rounds.after_turn(kInVain, now) == Place::begins);
  for (int i = 0; i < 12; ++i) {
    CHECK(rounds.after_turn(kInVain, now) == Place::moves);
    rounds.came_round(now);
    const Time ended = now;
    while (rounds.after_turn(kInVain, now) == Place::stays) now += 1min;
    rests.push_back(now - ended);
  }
  rounds.came_round(now);
  CHECK(rests.front() == 2min);
  CHECK(std::is_sorted(rests.begin(), rests.end()));
  CHECK(rests.back() == 60min);
  CHECK(rounds.after_turn(kInPart, now) == Place::begins);
  rounds.came_round(now);
  CHECK(rounds.after_turn(kInVain, now + 59s) == Place::stays);
  CHECK(rounds.after_turn(kInVain, now + 60s) == Place::begins);
}

TEST_CASE("rounds take a tenth of the time at most, however long the lane is") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
  for (int i = 0; i < 7'200; ++i) rounds.spent(1s);
  CHECK(rounds.after_turn(kInVain, now + 2h) == Place::moves);
  rounds.came_round(now + 2h);
  CHECK(rounds.after_turn(kInVain, now + 19h) == Place::stays);
  CHECK(rounds.after_turn(kInVain, now + 20h) == Place::begins);
}

TEST_CASE("what was spent on telling the bad from the good does not count, but for what comes back") {
  Rounds rounds({});
  const Time now{1h};
  rounds.after_turn(kInVain, now);
  rounds.spent(1h);
  rounds.after_turn({.passed = 90, .refused = 10, .close = false}, now);
  rounds.came_round(now);
  CHECK(rounds.after_turn(kInVain, now + 53min) == Place::stays);
  CHECK(rounds.after_turn(kInVain, now + 54min) == Place::begins);
}

TEST_CASE("an outage in the middle of a round makes no long rest") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
  rounds.spent(5s);
  CHECK(rounds.after_turn(kInVain, now + 10h) == Place::moves);
  rounds.came_round(now + 10h);
  CHECK(rounds.after_turn(kInVain, now + 10h + 2min) == Place::begins);
}

TEST_CASE("a round begins when an operator asks, and when something has passed") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
  rounds.came_round(now);
  REQUIRE(rounds.after_turn(kInVain, now) == Place::stays);
  SECTION("an operator") { rounds.ask(); }
  SECTION("the batch before") { CHECK(rounds.after_turn(kPassed, now) == Place::moves); }
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
  CHECK_FALSE(rounds.asked());
}

TEST_CASE("a round that follows one in vain begins with a close look, the next one does not") {
  Rounds rounds({});
  Time now{1h};
  std::vector<bool> close;
  for (int i = 0; i < 6; ++i) {
    close.push_back(rounds.begins_close(now));
    REQUIRE(rounds.after_turn({.passed = 0, .refused = 1, .close = close.back()}, now) == Place::begins);
    CHECK_FALSE(rounds.begins_close(now));  // the others of it are as they come
    rounds.came_round(now);
    CHECK_FALSE(rounds.begins_close(now));  // at rest it would not be the beginning of a round
    now += 2h;
  }
  CHECK(close == std::vector{false, true, false, true, false, true});
}

TEST_CASE("a close look is not wanted where something passes, nor forgotten where the round began without") {
  Rounds rounds({});
  Time now{1h};
  const bool passed = GENERATE(false, true);
  rounds.after_turn(kInVain, now);
  rounds.came_round(now);
  REQUIRE(rounds.begins_close(now + 2h));
  // The batch was at hand before the round was due.
  rounds.after_turn(passed ? kInPart : kInVain, now + 2h);
  rounds.came_round(now + 2h);
  CHECK(rounds.begins_close(now + 4h) == !passed);
}

TEST_CASE("when what was looked at closely passes, the rest is sent in full requests") {
  Rounds rounds({});
  const Time now{1h};
  rounds.after_turn(kInVain, now);
  rounds.came_round(now);
  REQUIRE(rounds.begins_close(now + 2h));
  CHECK(rounds.after_turn({.passed = 256, .refused = 0, .close = true}, now + 2h) == Place::moves);
  CHECK_FALSE(rounds.begins_close(now + 2h));
}

TEST_CASE("what comes to an empty lane gets a round at its first refusal") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
  rounds.came_round(now);
  rounds.emptied();
  CHECK(rounds.after_turn(kInVain, now) == Place::begins);
}

}  // namespace
}  // namespace tideover::forward
