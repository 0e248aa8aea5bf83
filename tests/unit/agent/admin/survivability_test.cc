#include "agent/admin/survivability.h"

#include <catch2/catch.hpp>

namespace tideover::admin {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an outage lasts as long as the free room at the rate of the last minutes") {
  Survivability s;
  Time now{};
  std::uint64_t bytes = 0;
  for (int i = 0; i < 120; ++i) s.observe(now += 5s, bytes += 5000);
  REQUIRE(s.seconds(3'600'000));
  CHECK(*s.seconds(3'600'000) == Approx(3600).epsilon(0.05));
}

TEST_CASE("the first observations count in full") {
  Survivability s;
  Time now{};
  s.observe(now, 1000);
  s.observe(now += 5s, 6000);
  CHECK(s.bytes_per_second() == Approx(1000));
}

TEST_CASE("a change of the rate shows within minutes, a burst does not") {
  Survivability s;
  Time now{};
  std::uint64_t bytes = 0;
  for (int i = 0; i < 120; ++i) s.observe(now += 5s, bytes += 5000);
  s.observe(now += 5s, bytes += 50'000);
  CHECK(s.bytes_per_second() < 1300);
  for (int i = 0; i < 240; ++i) s.observe(now += 5s, bytes += 10'000);
  CHECK(s.bytes_per_second() == Approx(2000).epsilon(0.05));
}

TEST_CASE("two looks in one moment, and less than before, leave the rate as it was") {
  Survivability s;
  Time now{};
  s.observe(now, 1000);
  s.observe(now += 5s, 6000);
  s.observe(now, 7000);
  CHECK(s.bytes_per_second() == Approx(1000));
  s.observe(now += 5s, 100);  // some was lost to damage
  CHECK(s.bytes_per_second() == Approx(1000));
  s.observe(now += 5s, 5100);
  CHECK(s.bytes_per_second() == Approx(1000));
}

TEST_CASE("when nothing comes in no outage is too long") {
  Survivability s;
  s.observe(Time{}, 0);
  s.observe(Time{} + 5s, 0);
  CHECK_FALSE(s.seconds(1));
}

}  // namespace
}  // namespace tideover::admin
