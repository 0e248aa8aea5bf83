#include "forwarders/backoff.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "forwarders/breaker.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

TEST_CASE("no gap is under 0.8 of the one before, none above a minute, whatever the receiver asks") {
  const auto seed = static_cast<std::uint64_t>(GENERATE(range(1, 101)));
  Rng rng(seed);
  Rng asks(seed + 1'000);
  Backoff backoff({}, rng);
  Duration last{};
  for (int i = 0; i < 100; ++i) {
    std::optional<Duration> asked;
    if (asks.chance(0.1)) asked = std::chrono::seconds(asks.below(4'000));
    const Duration gap = backoff.next(asked);
    CHECK(gap.count() >= 0.8 * static_cast<double>(last.count()));
    CHECK(gap <= 60s);
    last = gap;
  }
}

TEST_CASE("gaps begin at tens of milliseconds, double, and stay at their cap") {
  Rng rng(7);
  Backoff backoff({}, rng);
  const Duration first = backoff.next();
  CHECK(first >= 27ms);
  CHECK(first <= 66ms);
  for (int i = 0; i < 20; ++i) backoff.next();
  const Duration late = backoff.next();
  CHECK(late >= 27s);
  CHECK(late <= 33s);
  backoff.reset();
  CHECK(backoff.next() <= 66ms);
}

TEST_CASE("gaps spread to either side, by a tenth and no more") {
  Duration shortest = 1h, longest{};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    Backoff backoff({}, rng);
    Duration gap{};
    for (int i = 0; i < 12; ++i) gap = backoff.next();
    shortest = std::min(shortest, gap);
    longest = std::max(longest, gap);
  }
  CHECK(shortest >= 27s);
  CHECK(shortest < 28s);
  CHECK(longest <= 33s);
  CHECK(longest > 32s);
}

TEST_CASE("agents that lost the receiver at the same moment do not stay in step") {
  std::set<std::int64_t> seconds;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    Backoff backoff({}, rng);
    Duration at{};
    for (int i = 0; i < 9; ++i) at += backoff.next();
    seconds.insert(std::chrono::duration_cast<std::chrono::seconds>(at).count());
  }
  CHECK(seconds.size() >= 10);
}

TEST_CASE("what a receiver asks for is honoured up to a minute") {
  Rng rng(7);
  Backoff backoff({}, rng);
  CHECK(backoff.next(5s) == 5s);
  CHECK(backoff.next(3600s) == 60s);
}

TEST_CASE("a breaker opens after three failures in a row and closes with one success") {
  Rng rng(7);
  Breaker breaker({}, rng);
  const Time now{1h};
  breaker.failed(now);
  breaker.failed(now + 1s);
  CHECK_FALSE(breaker.open());
  breaker.failed(now + 2s);
  CHECK(breaker.open());
  CHECK(breaker.failing_since() == now);
  CHECK_FALSE(breaker.allows(now + 2s));
  CHECK(breaker.allows(breaker.next_attempt()));
  breaker.succeeded();
  CHECK_FALSE(breaker.open());
  CHECK(breaker.allows(now + 2s));
}

}  // namespace
}  // namespace tideover::forward
