#include "forwarders/inflow.h"

#include <catch2/catch.hpp>

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

TEST_CASE("what comes in is known after a minute, in bytes as they leave") {
  Inflow inflow;
  Time now{1h};
  inflow.accepted(now, 5'000'000);  // from before this life
  inflow.sent(30'000, 1'000);
  CHECK(inflow.bytes_per_s() == 0);
  inflow.accepted(now += 30s, 5'003'000);
  CHECK(inflow.bytes_per_s() == 0);
  inflow.accepted(now += 30s, 5'006'000);
  CHECK(inflow.bytes_per_s() == Approx(100 * 30));
}

TEST_CASE("scrapes come in bursts, and are evened out") {
  Inflow inflow;
  Time now{1h};
  std::uint64_t units = 0;
  for (int i = 0; i < 400; ++i) {
    inflow.sent(200, 100);
    inflow.accepted(now += 100ms, i % 150 == 0 ? units += 15'000 : units);
  }
  for (int i = 0; i < 2'000; ++i) inflow.accepted(now += 100ms, i % 150 == 0 ? units += 15'000 : units);
  CHECK(inflow.bytes_per_s() == Approx(2'000).epsilon(0.3));
}

TEST_CASE("more or less of it is known within minutes, also when nobody looks for long") {
  Inflow inflow;
  Time now{1h};
  std::uint64_t units = 0;
  inflow.sent(10, 10);
  inflow.accepted(now, units);
  for (int i = 0; i < 10; ++i) inflow.accepted(now += 1min, units += 6'000);
  CHECK(inflow.bytes_per_s() == Approx(100));
  for (int i = 0; i < 5; ++i) inflow.accepted(now += 1min, units += 60'000);
  CHECK(inflow.bytes_per_s() > 950);
  inflow.accepted(now += 10h, units);
  inflow.accepted(now += 1min, units);
  inflow.accepted(now += 1min, units);
  CHECK(inflow.bytes_per_s() < 150);
}

}  // namespace
}  // namespace tideover::forward
