#include "bench/sink_schedule.h"

#include <catch2/catch.hpp>

using namespace tideover::bench;
using namespace std::chrono_literals;

TEST_CASE("a phase of the sink is read as it is written") {
  const SinkPhase off = parse_sink_phase("off:10..40").value();
  CHECK(off.from == 10s);
  CHECK(off.until == 40s);
  CHECK(off.setting.refuses);

  const SinkPhase failing = parse_sink_phase("503:5..").value();
  CHECK(failing.from == 5s);
  CHECK_FALSE(failing.until.has_value());
  CHECK(failing.setting.status == 503);

  const SinkPhase slow = parse_sink_phase("slow=250").value();
  CHECK(slow.from == 0s);
  CHECK(slow.setting.delay_ms == 250);
  CHECK(slow.setting.takes_data());
}

TEST_CASE("what is no phase of the sink is refused with a sentence") {
  for (const char* text :
       {"", "on", "off:", "off:40", "off:40..10", "off:a..b", "204:1..2", "slow=", "slow=-1"}) {
    INFO(text);
    const auto phase = parse_sink_phase(text);
    REQUIRE(phase.has_error());
    CHECK(phase.error().detail.starts_with(text));
  }
}

TEST_CASE("the sink takes everything before, between and behind its phases") {
  const std::vector<SinkPhase> phases{parse_sink_phase("off:2..4").value(),
                                      parse_sink_phase("slow=9:6..8").value()};
  CHECK(setting_at(phases, 0s, true) == SinkSetting{});
  CHECK(setting_at(phases, 2s, true).refuses);
  CHECK(setting_at(phases, 3999ms, true).refuses);
  CHECK(setting_at(phases, 4s, true) == SinkSetting{});
  CHECK(setting_at(phases, 7s, true).delay_ms == 9);
  CHECK(setting_at(phases, 8s, true) == SinkSetting{});
}

TEST_CASE("a phase without an end ends with the load; one with an end does not") {
  const std::vector<SinkPhase> open{parse_sink_phase("off:2..").value()};
  CHECK(setting_at(open, 100s, true).refuses);
  CHECK(setting_at(open, 100s, false).takes_data());
  const std::vector<SinkPhase> closed{parse_sink_phase("off:2..200").value()};
  CHECK(setting_at(closed, 100s, false).refuses);
}
