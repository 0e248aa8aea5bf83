#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <string>

#include "agent/admin/metrics_page.h"
#include "agent/admin/status_json.h"

namespace tideover::admin {
namespace {

namespace json = boost::json;

Snapshot busy_agent() {
  Snapshot s;
  s.signals.emplace_back().name = "metrics";
  s.now_ms = 100'000;
  s.signals[0].buffer.held = {4, 400, 5600};
  s.signals[0].buffer.max_bytes = 10'000;
  s.signals[0].buffer.oldest_ms = 40'000;
  s.signals[0].buffer.survivable_seconds = 9720;
  s.signals[0].remote_write.emplace();
  s.signals.emplace_back().name = "logs";
  DestinationSnapshot d;
  d.name = "thanos";
  d.state = "down";
  d.behind = {4, 400, 5600};
  d.oldest_ms = 40'000;
  d.account.accepted = 1000;
  d.account.ledger.delivered = 500;
  d.account.ledger.diverted = 80;
  d.account.ledger.lost[static_cast<std::size_t>(wal::Reason::out_of_order)] = 20;
  d.account.ledger.lost[static_cast<std::size_t>(wal::Reason::damaged)] = 30;
  d.account.waiting = 400;
  d.account.parked = 50;
  s.signals[0].destinations.push_back(d);
  return s;
}

std::string value_of(const std::string& page, const std::string& series) {
  const auto at = page.find("\n" + series + " ");
  if (at == std::string::npos) return "absent";
  const auto start = at + series.size() + 2;
  return page.substr(start, page.find('\n', start) - start);
}

TEST_CASE("the ledger closes over main lane, parked and lost samples") {
  const json::value ledger = json::parse(ledger_json(busy_agent()));
  const auto& thanos = ledger.at("metrics").at("thanos").as_object();
  CHECK(thanos.at("accepted").as_int64() == 1000);
  CHECK(thanos.at("queued").as_int64() == 450);
  CHECK(thanos.at("parked").as_int64() == 50);
  CHECK(thanos.at("rejected").at("out_of_order").as_int64() == 20);
  CHECK(thanos.at("rejected").as_object().size() == 1);  // reasons that there are
  CHECK(thanos.at("dropped").at("damaged").as_int64() == 30);
  CHECK(thanos.at("in_balance").as_bool());
}

TEST_CASE("a sample that is nowhere shows as an imbalance") {
  Snapshot s = busy_agent();
  s.signals[0].destinations[0].account.waiting -= 1;
  CHECK_FALSE(json::parse(ledger_json(s)).at("metrics").at("thanos").at("in_balance").as_bool());
  CHECK(value_of(metrics_page(s, {}),
                 "tideover_ledger_imbalance_samples{signal=\"metrics\",destination=\"thanos\"}") == "1");
}

TEST_CASE("moments that do not exist are null") {
  const json::value d = json::parse(destinations_json(busy_agent())).at("destinations").at(0);
  CHECK(d.at("last_success").is_null());
  CHECK(d.at("last_error").is_null());
  CHECK(d.at("eta_seconds").is_null());
  CHECK(d.at("lag_seconds").to_number<double>() == 60.0);
}

TEST_CASE("when nothing waits nothing is left to wait for, whatever the rate was") {
  Snapshot s = busy_agent();
  s.signals[0].destinations[0].behind = {};
  s.signals[0].destinations[0].samples_per_second = 0;
  CHECK(json::parse(destinations_json(s)).at("destinations").at(0).at("eta_seconds").to_number<double>() ==
        0.0);
}

TEST_CASE("a wall clock that was set back makes nothing younger than new") {
  Snapshot s = busy_agent();
  s.now_ms = s.signals[0].destinations[0].oldest_ms - 86'400'000;
  const json::value d = json::parse(destinations_json(s)).at("destinations").at(0);
  CHECK(d.at("lag_seconds").to_number<double>() == 0.0);
  CHECK(value_of(metrics_page(s, {}),
                 "tideover_destination_lag_seconds{signal=\"metrics\",destination=\"thanos\"}") == "0");
}

TEST_CASE("every series of a counter exists before the first event") {
  const std::string page = metrics_page(busy_agent(), {});
  CHECK(value_of(page, "tideover_receive_requests_total{protocol=\"rw2\",answer=\"refused\",code=\"503\"}") ==
        "0");
  CHECK(value_of(page,
                 "tideover_send_requests_total{signal=\"metrics\",destination=\"thanos\",code=\"5xx\"}") ==
        "0");
  CHECK(value_of(page,
                 "tideover_ledger_dropped_samples_total{signal=\"metrics\",destination=\"thanos\",reason="
                 "\"budget\"}") == "0");
}

TEST_CASE("a node's page stays below three hundred series with four destinations") {
  Snapshot s = busy_agent();
  for (const char* name : {"b", "c", "d"}) {
    s.signals[0].destinations.push_back(s.signals[0].destinations[0]);
    s.signals[0].destinations.back().name = name;
  }
  const std::string page = metrics_page(s, {});
  std::size_t series = 0;
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) series += page[at] != '#' ? 1 : 0;
  CHECK(series < 300);
}

}  // namespace
}  // namespace tideover::admin
