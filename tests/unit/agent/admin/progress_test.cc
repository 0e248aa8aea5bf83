#include "agent/admin/progress.h"

#include <catch2/catch.hpp>

namespace tideover::admin {
namespace {

using namespace std::chrono_literals;

struct Flow {
  // Looks each two seconds, as the agent does.
  void run(Duration time, std::uint64_t in_per_second, std::uint64_t out_per_second, bool flowing = true) {
    for (Duration passed{}; passed < time; passed += 2s) {
      now += 2s;
      accepted += 2 * in_per_second;
      answered += 2 * out_per_second;
      progress.observe(now, {accepted, answered, flowing});
    }
  }
  std::uint64_t waiting() const { return accepted - answered; }

  Progress progress;
  Time now{};
  std::uint64_t accepted = 0;
  std::uint64_t answered = 0;
};

TEST_CASE("a backlog drains by what goes out less what comes in") {
  Flow flow;
  flow.run(10min, 100, 0, false);
  flow.run(30s, 100, 400);
  CHECK(flow.progress.samples_per_second() == Approx(400));
  REQUIRE(flow.progress.eta_seconds(flow.waiting()));
  CHECK(*flow.progress.eta_seconds(flow.waiting()) == Approx((600 * 100 - 30 * 300) / 300.0));
}

TEST_CASE("a pace of few large requests is told as well as that of many") {
  for (const Duration step : {4s, 10s, 14s, 22s}) {
    Flow flow;
    flow.run(10min, 10, 0, false);
    Duration until = step;
    for (Duration passed{}; passed < 90s; passed += 2s) {
      const bool answered = passed >= until;
      if (answered) until += step;
      flow.run(2s, 10, answered ? static_cast<std::uint64_t>(step / 1s) * 50 : 0);
      if (passed < 50s) continue;
      CAPTURE(step / 1s, passed / 1s);
      CHECK(flow.progress.samples_per_second() == Approx(100));
    }
    // When nothing is answered any more, that shows.
    flow.run(step, 10, 0);
    const double before = flow.progress.samples_per_second();
    flow.run(30s, 10, 0);
    CHECK(flow.progress.samples_per_second() < 0.8 * before);
  }
}

TEST_CASE("what is slower than what comes in never drains") {
  Flow flow;
  flow.run(1min, 100, 0, false);
  flow.run(1min, 100, 90);
  CHECK_FALSE(flow.progress.eta_seconds(flow.waiting()));
  CHECK(flow.progress.samples_per_second() == Approx(90));
}

TEST_CASE("in an outage nothing moves, however fast it went before") {
  Flow flow;
  flow.run(2min, 100, 5'000);
  flow.run(2s, 100, 0, false);
  CHECK(flow.progress.samples_per_second() == 0);
  CHECK_FALSE(flow.progress.eta_seconds(flow.waiting()));
}

TEST_CASE("the pace of a replay is not that of the outage before it") {
  Flow flow;
  flow.run(2min, 10, 0, false);
  flow.run(6s, 10, 1'000);
  CHECK_FALSE(flow.progress.eta_seconds(flow.waiting()));  // a moment's look
  flow.run(2s, 10, 1'000);
  CHECK(flow.progress.samples_per_second() == Approx(1'000));
  CHECK(flow.progress.eta_seconds(99'000).value_or(0) == Approx(100).epsilon(0.01));
}

TEST_CASE("what was a minute ago is forgotten, and so is what the store has lost") {
  Flow flow;
  flow.run(10min, 0, 0);
  flow.run(1min, 0, 500);
  CHECK(flow.progress.samples_per_second() == Approx(500));
  flow.answered = flow.accepted = 0;
  flow.run(2s, 10, 10);
  CHECK(flow.progress.samples_per_second() == 0);
  flow.run(20s, 10, 10);
  CHECK(flow.progress.samples_per_second() == Approx(10));
}

TEST_CASE("before the first look nothing is known") {
  const Progress progress;
  CHECK(progress.samples_per_second() == 0);
  CHECK_FALSE(progress.eta_seconds(1));
}

}  // namespace
}  // namespace tideover::admin
