// Pace over lines: every rate, length and loss that lies between a node and its management cluster.
#include <catch2/catch.hpp>
#include <vector>

#include "forwarders/pace.h"
#include "tests/support/sim_line.h"

namespace tideover::forward {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLive = 20'000;
constexpr std::uint64_t kReplay = 300'000;

// One request after the other, each once the one before is answered, and not before the pace says so.
struct Sending {
  explicit Sending(const sim::LineOptions& options, const PaceLimits& limits = {})
      : line(options, Rng(3)), pace(limits) {}

  void one(std::uint64_t bytes) {
    now = std::max(now, pace.next_send());
    const Duration latency = line.carry(now, bytes) + line.back();
    pace.sent(now, bytes);
    now += latency;
    under_way += latency;
    pace.passed(now, bytes, latency);
  }
  void for_a_while(Duration span, std::uint64_t bytes, Duration every = {}) {
    const Time end = now + span;
    for (Time next = now; now < end; next += every) {
      now = std::max(now, next);
      one(bytes);
    }
  }
  // The share of time in which a request was under way.
  double used(Duration span, std::uint64_t bytes) {
    const Time begun = now;
    under_way = {};
    for_a_while(span, bytes);
    return std::chrono::duration<double>(under_way) / (now - begun);
  }

  sim::SimLine line;
  Pace pace;
  Time now{1h};
  Duration under_way{};
};

std::vector<sim::LineOptions> all_lines() {
  std::vector<sim::LineOptions> lines;
  for (const double bits_per_s : {128e3, 512e3, 2e6, 10e6, 100e6, 1e9})
    for (const Duration round_trip : {Duration(1ms), Duration(20ms), Duration(100ms), Duration(300ms)})
      for (const double loss : {0.0, 0.001, 0.01}) lines.push_back({bits_per_s / 8, round_trip, loss});
  return lines;
}

TEST_CASE("a replay after an outage waits for its line, and hardly for its pace") {
  for (const sim::LineOptions& line : all_lines()) {
    CAPTURE(line.bytes_per_s, line.round_trip.count(), line.loss);
    Sending sending(line);
    sending.for_a_while(10min, kLive, 5s);
    sending.now += 2h;
    sending.pace.slow_start(sending.now);
    sending.for_a_while(40s, kReplay);  // how gently that begins is shown elsewhere
    CHECK(sending.used(5min, kReplay) >= 0.95);
  }
}

TEST_CASE("a line that becomes slow is used as it is, after a few requests") {
  for (sim::LineOptions line : all_lines()) {
    CAPTURE(line.bytes_per_s, line.round_trip.count(), line.loss);
    Sending sending(line);
    sending.for_a_while(2min, kReplay);
    line.bytes_per_s /= 25;
    line.round_trip *= 3;
    sending.line = sim::SimLine(line, Rng(4));
    for (int i = 0; i < 10; ++i) sending.one(kReplay);
    CHECK(sending.used(10min, kReplay) >= 0.9);
  }
}

TEST_CASE("small requests between large ones, and large ones between small, are no sign of overload") {
  for (const sim::LineOptions& line : all_lines()) {
    CAPTURE(line.bytes_per_s, line.round_trip.count(), line.loss);
    Sending sending(line);
    for (int i = 0; i < 500; ++i) sending.one(i % 7 == 0 ? 3'000'000 : i % 2 == 0 ? 1'000 : kLive);
    CHECK_FALSE(sending.pace.limited());
  }
}

TEST_CASE("a size is comfortable that its line carries in a third of the time for an answer") {
  const double bits_per_s = GENERATE(128e3, 512e3, 2e6);
  const Duration round_trip = GENERATE(Duration(1ms), Duration(300ms));
  CAPTURE(bits_per_s, round_trip.count());
  Sending sending({bits_per_s / 8, round_trip, 0});
  CHECK(sending.pace.comfortable_bytes() == 64 << 10);  // nothing is known yet
  sending.one(1'000);
  for (int i = 0; i < 60; ++i) sending.one(sending.pace.comfortable_bytes());
  const double carried = bits_per_s / 8 * 10;  // in ten seconds
  CHECK(static_cast<double>(sending.pace.comfortable_bytes()) == Approx(carried).epsilon(0.2));
}

TEST_CASE("requests become small over a line that has become slow, and large when it is well again") {
  const auto comfortably = [](Sending& sending) {
    for (int i = 0; i < 15; ++i) sending.one(std::min(sending.pace.comfortable_bytes(), 3'000'000UL));
    return sending.pace.comfortable_bytes();
  };
  Sending sending({2e6, 20ms, 0});
  sending.for_a_while(1min, kReplay);
  CHECK(comfortably(sending) > 10'000'000);
  sending.line = sim::SimLine({16e3, 300ms, 0.01}, Rng(4));
  const std::uint64_t slow = comfortably(sending);
  CHECK(slow > 100'000);  // at most 160,000 go over it in ten seconds
  CHECK(slow < 250'000);
  sending.line = sim::SimLine({2e6, 20ms, 0}, Rng(4));
  CHECK(comfortably(sending) > 10'000'000);
}

TEST_CASE("a receiver that takes its time whatever the size is not sent ever smaller requests") {
  Pace pace{{}};
  Time now{1h};
  for (int i = 0; i < 200; ++i) pace.passed(now += 25s, std::min(pace.comfortable_bytes(), kReplay), 25s);
  CHECK(pace.comfortable_bytes() == 64 << 10);
}

}  // namespace
}  // namespace tideover::forward
