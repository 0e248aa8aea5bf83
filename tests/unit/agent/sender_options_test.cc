// What an operator writes about a destination reaches the part that it is about.
#include "agent/sender_options.h"

#include <catch2/catch.hpp>
#include <string>

#include "agent/config/load.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

forward::SenderOptions options_of(const std::string& lines) {
  const std::string text =
      "cluster: app1\nmetrics:\n  destinations:\n    - name: thanos\n      url: "
      "http://mgmt/api/v1/receive\n" +
      lines;
  const auto loaded = config::parse(text, "t.yaml", {.host_name = "node"});
  INFO(loaded.report);
  REQUIRE(loaded.config);
  DiskBudget budget;
  budget.parked_max_bytes = 111;
  budget.rejects_max_bytes = 222;
  return sender_options(loaded.config->metrics->destinations[0], budget);
}

TEST_CASE("a destination without further keys is sent to as the defaults say") {
  const forward::SenderOptions options = options_of("");
  const forward::RequestLimits request;
  CHECK(options.name == "thanos");
  CHECK(options.keep == wal::Keep::required);
  CHECK(options.start == wal::StartAt::now);
  CHECK(options.parked_bytes_max == 111);
  CHECK(options.rejects_bytes_max == 222);
  CHECK(options.request_time == 30s);
  CHECK(options.machine.pace.comfortable_time == 10s);
  CHECK(options.machine.request.units == request.units);
  CHECK(options.machine.request.raw_bytes == request.raw_bytes);
  CHECK(options.machine.pace.cap_bytes_per_s == 0);
}

TEST_CASE("every key of a destination reaches its sender") {
  const forward::SenderOptions options = options_of(
      "      required: false\n      from: oldest\n      request_timeout: 90s\n      request_max_samples: "
      "500\n"
      "      request_max_bytes: 256KiB\n      max_bytes_per_second: 100KiB\n");
  CHECK(options.keep == wal::Keep::best_effort);
  CHECK(options.start == wal::StartAt::oldest);
  CHECK(options.request_time == 90s);
  CHECK(options.machine.pace.comfortable_time == 30s);
  CHECK(options.machine.request.units == 500);
  CHECK(options.machine.request.raw_bytes == 256 << 10);
  CHECK(options.machine.pace.cap_bytes_per_s == 100 << 10);
}

}  // namespace
}  // namespace tideover
