// Two signals in one agent, of which one has a destination with the other's name.
#include <boost/json/parse.hpp>
#include <cstdint>
#include <string>

#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/agent_process.h"

namespace tideover {
namespace {

namespace json = boost::json;

std::string three_samples() {
  test::WriteRequest request;
  request.series({{"__name__", "up"}});
  for (int i = 0; i < 3; ++i) request.sample(1'000 + i, i);
  return test::snappy_block(request.encode(test::Version::v1));
}

struct TwoSignals : AgentProcess {
  TwoSignals() { binary = TIDEOVER_COUNTING; }

  std::uint64_t accepted(const char* signal, const char* name) const {
    const json::value ledger = json::parse(ask("GET", "/api/v1/status/ledger").body);
    const json::object& accounts = ledger.at(signal).as_object();
    if (!accounts.contains(name)) return UINT64_MAX;
    CHECK(accounts.at(name).at("in_balance").as_bool());
    return accounts.at(name).at("accepted").to_number<std::uint64_t>();
  }
  bool page_says(const std::string& words) const {
    return ask("GET", "/metrics").body.find(words) != std::string::npos;
  }
};

TEST_CASE("equal names in two signals stay apart in status, metrics and verbs") {
  TwoSignals agent;
  agent.start_and_wait();
  REQUIRE(agent.write(three_samples()) == 204);
  REQUIRE(soon([&] { return agent.accepted("counts", "thanos") > 20; }));
  CHECK(agent.accepted("metrics", "thanos") == 3);
  CHECK(agent.page_says(
      "tideover_ledger_accepted_samples_total{signal=\"metrics\",destination=\"thanos\"} 3\n"));
  CHECK(agent.page_says("tideover_ledger_accepted_samples_total{signal=\"counts\",destination=\"thanos\"} "));
  const json::value buffer = json::parse(agent.ask("GET", "/api/v1/status/buffer").body);
  CHECK(buffer.at("signals").at("metrics").at("samples").to_number<std::uint64_t>() == 3);
  CHECK(buffer.at("signals").at("counts").at("samples").to_number<std::uint64_t>() > 20);

  const std::string drop = "/api/v1/buffer/drop-cursor?destination=thanos";
  const cli::AdminAnswer whose = agent.ask("POST", drop);
  CHECK(whose.status == 400);
  CHECK(whose.body.find("metrics, counts") != whose.body.npos);
  CHECK(agent.ask("POST", drop + "&signal=logs").status == 404);
  CHECK(agent.ask("POST", drop + "&signal=metrics").status == 400);  // it is in the configuration
  CHECK(agent.ask("POST", drop + "&signal=counts").status == 200);
  CHECK(agent.accepted("counts", "thanos") == UINT64_MAX);
  CHECK(agent.accepted("metrics", "thanos") == 3);
  CHECK(agent.stop() == 0);
}

TEST_CASE("a reload takes both signals along, and so does a start") {
  TwoSignals agent;
  agent.start_and_wait();
  REQUIRE(agent.write(three_samples()) == 204);
  REQUIRE(soon([&] { return agent.accepted("counts", "nobody") > 5; }));
  agent.configure("{name: thanos, url: 'http://127.0.0.1:2/'}");
  CHECK(agent.ask("POST", "/-/reload").status == 200);
  REQUIRE(soon([&] { return agent.logged("tideover is ready") == 2; }));
  const std::uint64_t reloaded = agent.accepted("counts", "nobody");
  CHECK(reloaded > 5);
  CHECK(agent.accepted("metrics", "thanos") == 3);
  CHECK(agent.stop() == 0);
  agent.start_and_wait();
  CHECK(agent.accepted("counts", "nobody") >= reloaded);
  CHECK(agent.accepted("metrics", "thanos") == 3);
  CHECK(agent.stop() == 0);
}

}  // namespace
}  // namespace tideover
