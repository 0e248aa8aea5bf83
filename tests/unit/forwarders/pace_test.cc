#include "forwarders/pace.h"

#include <algorithm>
#include <array>
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

TEST_CASE("an answer that becomes usual is no sign of overload any more") {
  Pace pace{{}};
  Time now{1h};
  run(pace, now, 50s, 50ms);
  run(pace, now, 30s, 1200ms);
  const double sent = run(pace, now, 10min, 1200ms);
  CHECK(sent > 0.95 * kRequest / 1.2);
}

TEST_CASE("a sign of overload halves what went through, not a rate that nothing came near") {
  Pace pace{{}};
  Time now{1h};
  pace.slow_start(now);
  const double carried = run(pace, now, 20s, 4s);
  CHECK(pace.bytes_per_s() > 20 * carried);
  pace.overloaded(now);
  CHECK(pace.bytes_per_s() < 0.6 * carried);
}

TEST_CASE("what went through before an outage says nothing about the time after it") {
  Pace pace{{}};
  Time now{1h};
  run(pace, now, 60s, 10s);
  CHECK(pace.throughput() > 0);
  pace.slow_start(now += 1h);
  CHECK(pace.throughput() == 0);
  pace.passed(now += 1s, kRequest, 10s);
  CHECK(pace.throughput() == 0);  // nothing to measure it from
  pace.slow_start(now);
  pace.overloaded(now);
  CHECK(pace.bytes_per_s() == 512 << 10);
}

TEST_CASE("a backlog drains under any overload: the pace stays above what comes in anew") {
  double inflow = 400e3;
  PaceLimits limits;
  limits.inflow_bytes_per_s = [&inflow] { return inflow; };
  Pace pace{limits};
  Time now{1h};
  pace.slow_start(now);
  for (int i = 0; i < 20; ++i) pace.overloaded(now += 2s);
  CHECK(pace.bytes_per_s() == 600e3);
  inflow = 2e6;
  pace.overloaded(now += 2s);
  CHECK(pace.bytes_per_s() == 3e6);
  inflow = 10e3;
  for (int i = 0; i < 20; ++i) pace.overloaded(now += 2s);
  CHECK(pace.bytes_per_s() == 64 << 10);
  inflow = 10e6;
  pace.slow_start(now);
  CHECK(pace.bytes_per_s() == 15e6);
}

// A receiver that can take so many bytes per second, and answers 503 to what is beyond.
struct Shared {
  double bytes_per_s;
  double spare = 0;
  Time since{};

  bool takes(Time now, double bytes) {
    const double elapsed = std::chrono::duration<double>(now - since).count();
    spare = std::min(bytes_per_s / 2, spare + bytes_per_s * elapsed);
    since = now;
    if (spare < bytes) return false;
    spare -= bytes;
    return true;
  }
};

TEST_CASE("agents that return to one receiver share it fairly, whatever they began with") {
  constexpr std::size_t kAgents = 10;
  constexpr std::uint64_t kBytes = 100'000;
  struct Agent {
    Pace pace{{}};
    Time free{1h};
    double taken = 0;
  };
  std::array<Agent, kAgents> agents;
  for (std::size_t i = 0; i < kAgents; i += 2)
    agents[i].pace.slow_start(Time{1h});  // the others: at full speed
  Shared receiver{40e6, 0, Time{1h}};
  const Time measured_from{1h + 3min};
  const Time end{1h + 8min};
  while (true) {
    const auto next = [](const Agent& agent) { return std::max(agent.free, agent.pace.next_send()); };
    Agent& agent = *std::min_element(agents.begin(), agents.end(),
                                     [&next](const Agent& a, const Agent& b) { return next(a) < next(b); });
    const Time now = next(agent);
    if (now > end) break;
    agent.pace.sent(now, kBytes);
    if (receiver.takes(now, kBytes)) {
      agent.free = now + 5ms;
      agent.pace.passed(agent.free, kBytes, 5ms);
      if (now > measured_from) agent.taken += kBytes;
    } else {
      agent.free = now + 50ms;
      agent.pace.overloaded(now);
    }
  }
  double sum = 0;
  double squares = 0;
  for (const Agent& agent : agents) {
    sum += agent.taken;
    squares += agent.taken * agent.taken;
  }
  CHECK(sum * sum / (kAgents * squares) > 0.95);  // Jain's index: 1 when all have the same
  CHECK(sum > 0.5 * 40e6 * 300);
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
