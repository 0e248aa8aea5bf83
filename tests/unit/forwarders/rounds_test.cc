#include "forwarders/rounds.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;
using Place = Rounds::Place;

constexpr bool kPassed = true;
constexpr bool kRefused = true;

TEST_CASE("rounds in vain grow rare, one in which something passes is followed soon") {
  Rounds rounds({});
  Time now{1h};
  std::vector<Duration> rests;
  REQUIRE(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  for (int i = 0; i < 12; ++i) {
    CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::moves);
    rounds.came_round(now);
    const Time ended = now;
    while (rounds.after_turn(!kPassed, kRefused, now) == Place::stays) now += 1min;
    rests.push_back(now - ended);
  }
  rounds.came_round(now);
  CHECK(rests.front() == 2min);
  CHECK(std::is_sorted(rests.begin(), rests.end()));
  CHECK(rests.back() == 60min);
  CHECK(rounds.after_turn(kPassed, kRefused, now) == Place::begins);
  rounds.came_round(now);
  CHECK(rounds.after_turn(!kPassed, kRefused, now + 59s) == Place::stays);
  CHECK(rounds.after_turn(!kPassed, kRefused, now + 60s) == Place::begins);
}

TEST_CASE("rounds take a tenth of the time at most, however long the lane is") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  for (int i = 0; i < 7'200; ++i) rounds.spent(1s);
  rounds.came_round(now + 2h);
  CHECK(rounds.after_turn(!kPassed, kRefused, now + 19h) == Place::stays);
  CHECK(rounds.after_turn(!kPassed, kRefused, now + 20h) == Place::begins);
}

TEST_CASE("an outage in the middle of a round makes no long rest") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  rounds.spent(5s);
  rounds.came_round(now + 10h);
  CHECK(rounds.after_turn(!kPassed, kRefused, now + 10h + 2min) == Place::begins);
}

TEST_CASE("a round begins when an operator asks, and when something has passed") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  rounds.came_round(now);
  REQUIRE(rounds.after_turn(!kPassed, kRefused, now) == Place::stays);
  SECTION("an operator") { rounds.ask(); }
  SECTION("the batch before") { CHECK(rounds.after_turn(kPassed, !kRefused, now) == Place::moves); }
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  CHECK_FALSE(rounds.asked());
}

TEST_CASE("what comes to an empty lane gets a round at its first refusal") {
  Rounds rounds({});
  const Time now{1h};
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
  rounds.came_round(now);
  rounds.emptied();
  CHECK(rounds.after_turn(!kPassed, kRefused, now) == Place::begins);
}

}  // namespace
}  // namespace tideover::forward
