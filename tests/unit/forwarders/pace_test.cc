#include "forwarders/pace.h"

#include <catch2/catch.hpp>

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kRequest = 1 << 20;

// Sends for `duration` as fast as the pace allows, each answer after `latency`; returns bytes per second.
double run(Pace& pace, Time& now, Duration duration, Duration latency) {
  const Time start = now;
  std::uint64_t bytes = 0;
  while (now - start < duration) {
    now = std::max(now, pace.next_send());
    pace.sent(now, kRequest);
    now += latency;
    pace.passed(now, kRequest, latency);
    bytes += kRequest;
  }
  return static_cast<double>(bytes) / std::chrono::duration<double>(now - start).count();
}

TEST_CASE("a healthy receiver is never held back") {
  Pace pace{{}};
  Time now{1h};
  run(pace, now, 10s, 5ms);
  CHECK(pace.next_send() <= now);
  CHECK_FALSE(pace.limited());
}

TEST_CASE("a replay starts slowly, grows, and is not held back in the end") {
  Pace pace{{}};
  Time now{1h};
  pace.slow_start(now);
  const double first = run(pace, now, 2s, 5ms);
  const double later = run(pace, now, 10s, 5ms);
  CHECK(first < 8 << 20);
  CHECK(later > 2 * first);
  run(pace, now, 60s, 5ms);
  CHECK_FALSE(pace.limited());
}

TEST_CASE("a sign of overload halves the rate, once per second, and never below the floor") {
  Pace pace{{}};
  Time now{1h};
  pace.slow_start(now);
  pace.overloaded(now);
  CHECK(pace.bytes_per_s() == 512 << 10);
  pace.overloaded(now + 10ms);
  CHECK(pace.bytes_per_s() == 512 << 10);
  for (int i = 0; i < 20; ++i) pace.overloaded(now += 2s);
  CHECK(pace.bytes_per_s() == 64 << 10);
}

TEST_CASE("an answer much slower than usual is a sign of overload") {
  Pace pace{{}};
  Time now{1h};
  run(pace, now, 5s, 100ms);
  pace.passed(now += 3s, kRequest, 3s);
  CHECK(pace.limited());
}

TEST_CASE("an operator's cap holds in good times too") {
  PaceLimits limits;
  limits.cap_bytes_per_s = 2 << 20;
  Pace pace{limits};
  Time now{1h};
  CHECK(run(pace, now, 20s, 1ms) < 2.3 * (1 << 20));
}

}  // namespace
}  // namespace tideover::forward
