// Every figure that the pages show comes from its own source: an agent whose figures all differ, and the
// pages that were written for it once and read line by line. TIDEOVER_UPDATE_GOLDEN=1 writes them anew.
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "agent/admin/metrics_page.h"
#include "agent/admin/status_json.h"

namespace tideover::admin {
namespace {

namespace json = boost::json;

// Hands out a number once.
class Numbers {
 public:
  explicit Numbers(std::uint64_t first) : next_(first) {}
  template <class... Fields>
  void give(Fields&... fields) {
    ((fields = static_cast<Fields>(next_++)), ...);
  }

 private:
  std::uint64_t next_;
};

void fill(DestinationSnapshot& d, Numbers n, std::string name, std::string state) {
  d.name = std::move(name);
  d.url = "http://" + d.name + "/";
  d.state = std::move(state);
  d.last_error = "503 from " + d.name;
  n.give(d.since_ms, d.last_success_ms, d.oldest_ms, d.behind.records, d.behind.units, d.behind.bytes);
  n.give(d.samples_per_second, d.account.accepted, d.account.ledger.delivered, d.account.ledger.diverted);
  n.give(d.account.ledger.probable_duplicates, d.account.ledger.under_reported, d.account.ledger.stripped);
  for (auto& lost : d.account.ledger.lost) n.give(lost);
  n.give(d.account.waiting, d.account.parked, d.account.quarantined);
  for (const char* code : {"2xx", "3xx", "4xx", "5xx", "network"}) n.give(d.requests[code]);
  n.give(d.sent_samples, d.sent_bytes, d.retries, d.eta_seconds.emplace());
}

void fill_logs(SignalSnapshot& l, Numbers n) {
  l.name = "logs";
  ingest::loki::PushMetrics& push = l.push.emplace();
  server::ServerMetrics& server = l.server.emplace();
  n.give(l.buffer.held.records, l.buffer.held.units, l.buffer.held.bytes, l.buffer.max_bytes);
  n.give(l.buffer.oldest_ms, l.buffer.newest_ms);
  l.buffer.survivable_seconds = 5999;
  for (auto& answers : push.requests)
    for (auto& count : answers) n.give(count);
  n.give(push.lines, push.body_bytes, push.raw_bytes, push.record_bytes, push.newest_ms);
  for (auto& count : push.refused_lines) n.give(count);
  n.give(server.connections_open, server.inflight_bytes, server.inflight_requests);
  for (auto& count : server.refused.counts) n.give(count);
  tail::SpoolStatus& files = l.files.emplace();
  const auto fill_tally = [&n](tail::Tally& t) {
    n.give(t.lines, t.bytes, t.spooled, t.dropped, t.cut, t.foreign, t.missed_bytes, t.perhaps_more);
    n.give(t.truncations, t.damaged_bytes, t.chains, t.open_files, t.pinned_bytes, t.lag_bytes);
  };
  fill_tally(files.total);
  files.largest.emplace_back().path = "shop_web-0_uid/app";
  fill_tally(files.largest[0].tally);
  fill_tally(files.rest);
  fill_tally(files.gone);
  n.give(files.left_out);
  n.give(l.senders.known, l.senders.forgotten);
  l.destinations.resize(1);
  fill(l.destinations[0], Numbers(6001), "loki", "up");
}

Snapshot agent_of_distinct_figures() {
  Snapshot s;
  s.build = {"1.2.3", "abcdef", "GNU 12", 2};
  s.cluster = "app1";
  s.node = "node-7";
  s.listening = {"127.0.0.1:7301", "[::1]:7302"};
  SignalSnapshot& m = s.signals.emplace_back();
  m.name = "metrics";
  ingest::IntakeMetrics& intake = m.remote_write.emplace();
  server::ServerMetrics& server = m.server.emplace();
  StoreSnapshot& store = s.store.emplace();
  Numbers n(1001);
  n.give(s.started_ms, m.buffer.held.records, m.buffer.held.units, m.buffer.held.bytes, m.buffer.max_bytes);
  n.give(m.buffer.oldest_ms, m.buffer.newest_ms, store.disk_bytes, store.memory_bytes);
  n.give(store.free_bytes, store.total_bytes, store.floor_bytes);
  m.buffer.survivable_seconds = 1999;
  for (auto& answers : intake.requests)
    for (auto& count : answers) n.give(count);
  n.give(intake.floats, intake.histograms, intake.exemplars, intake.metadata, intake.faulty_series);
  n.give(intake.body_bytes, intake.raw_bytes, intake.newest_ms);
  n.give(server.connections_open, server.inflight_bytes, server.inflight_requests);
  for (auto& count : server.refused.counts) n.give(count);
  n.give(store.wal.appended_records, store.wal.appended_bytes, store.wal.commits, store.wal.commit_failures,
         store.wal.reopens);
  n.give(store.wal.damaged_records, store.wal.commit_seconds.sum, store.wal.append_seconds.sum,
         store.unreadable_pages);
  store.wal.commit_seconds.counts[0] = 3;
  store.wal.commit_seconds.counts.back() = 4;
  store.wal.append_seconds.counts[1] = 5;
  for (const char* address : {"10.0.0.7", "fe80::1"}) {
    ingest::SenderAccount& sender = m.senders.largest.emplace_back();
    sender.address = address;
    sender.last_error = std::string("503 to ") + address;
    n.give(sender.requests, sender.samples, sender.bytes, sender.refused);
    n.give(sender.last_error_ms, sender.last_request_ms, sender.tenants[0], sender.tenants[1]);
  }
  n.give(m.senders.known, m.senders.forgotten);
  s.now_ms = 10'000'000;
  m.destinations.resize(2);
  fill(m.destinations[0], Numbers(2001), "thanos", "replaying");
  fill(m.destinations[1], Numbers(3001), "archive", "paused");
  m.destinations[1].required = false;
  fill_logs(s.signals.emplace_back(), Numbers(5001));
  return s;
}

ProcessFigures process() { return {4001.5, 4002, 4003, 4004, 4005}; }

std::string pretty(const std::string& text) {  // one member a line, so that a difference can be read
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == ',' || c == '{') out += '\n';
  }
  return out;
}

void check_golden(const std::string& name, const std::string& now) {
  const std::filesystem::path path =
      std::filesystem::path(TIDEOVER_SOURCE_DIR) / "tests/golden/admin" / (name + ".txt");
  if (std::getenv("TIDEOVER_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << now;
  std::ifstream file(path);
  CHECK(now == std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_CASE("every series of the page shows its own figure") {
  check_golden("metrics", metrics_page(agent_of_distinct_figures(), process()));
}

TEST_CASE("every reason for which the server turns a request away is explained") {
  std::ifstream file(std::filesystem::path(TIDEOVER_SOURCE_DIR) / "docs/METRICS.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const std::string_view reason : server::kRefusalNames) {
    CAPTURE(reason);
    CHECK(text.find("\n| `" + std::string(reason) + "` | ") != text.npos);
  }
}

// So that the golden page can show a mistake: no two series share a value by which they could be swapped.
TEST_CASE("every series of the golden page has a value of its own") {
  std::istringstream page(metrics_page(agent_of_distinct_figures(), process()));
  std::map<std::string, std::string> series_of;
  const std::set<std::string> flags{"tideover_build_info",
                                    "tideover_ready",
                                    "tideover_config_last_reload_successful",
                                    "tideover_buffer_refusing",
                                    "tideover_destination_state",
                                    "tideover_destination_up"};
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with('#') || line.find("_bucket{") != line.npos || line.find("_duration_") != line.npos)
      continue;
    const std::string series = line.substr(0, line.rfind(' '));
    const std::string value = line.substr(line.rfind(' ') + 1);
    if (flags.contains(series.substr(0, series.find('{')))) continue;
    CAPTURE(series, value);
    CHECK(value != "0");
    CHECK(series_of.emplace(value, series).second);
  }
  CHECK(series_of.size() > 100);
}

TEST_CASE("every member of the status answers shows its own figure") {
  const Snapshot s = agent_of_distinct_figures();
  check_golden("buffer", pretty(buffer_json(s)));
  check_golden("destinations", pretty(destinations_json(s)));
  check_golden("ledger", pretty(ledger_json(s)));
  check_golden("buildinfo", pretty(buildinfo_json(s)));
  check_golden("senders", pretty(senders_json(s)));
  check_golden("logs", pretty(logs_json(s)));
}

TEST_CASE("what is true or absent shows as such: refusing, no rate, nothing waiting, a failed reload") {
  Snapshot s = agent_of_distinct_figures();
  s.signals[0].buffer.refusing = "the buffer is full";
  s.signals[0].buffer.survivable_seconds.reset();
  s.last_reload_ok = false;
  s.signals[0].destinations[0].behind = {};
  s.signals[0].destinations[1].eta_seconds.reset();
  const std::string page = metrics_page(s, process());
  CHECK(page.find("\ntideover_buffer_refusing{signal=\"metrics\"} 1\n") != page.npos);
  CHECK(page.find("\ntideover_buffer_survivable_seconds{signal=\"metrics\"} +Inf\n") != page.npos);
  CHECK(page.find("\ntideover_config_last_reload_successful 0\n") != page.npos);
  const json::value buffer = json::parse(buffer_json(s)).at("signals").at("metrics");
  CHECK(buffer.at("refusing").as_string() == "the buffer is full");
  CHECK(buffer.at("survivable_seconds").is_null());
  const json::value list = json::parse(destinations_json(s)).at("destinations");
  CHECK(list.at(0).at("eta_seconds").to_number<double>() == 0.0);
  CHECK(list.at(1).at("eta_seconds").is_null());
  s.signals[0].buffer.held = {};
  CHECK(json::parse(buffer_json(s)).at("signals").at("metrics").at("bytes_per_sample").is_null());
}

}  // namespace
}  // namespace tideover::admin
