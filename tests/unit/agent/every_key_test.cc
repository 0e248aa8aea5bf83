// Every key of the configuration reaches its part: a file with one value and a file with another, and what
// the part does then. A key that is new has to find a place here; those of logs in every_logs_key_test.cc.
#include <set>
#include <string>
#include <vector>

#include "agent/check/judge.h"
#include "agent/data_directory.h"
#include "agent/reload.h"
#include "tests/unit/agent/shared_cases.h"

namespace tideover {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

File top(std::string line) { return {.top = std::move(line) + "\n"}; }
const Section kMetrics{"metrics"};

std::vector<Case> cases() {
  const auto destination = [](std::string line) { return kMetrics.destination(std::move(line)); };
  const auto metrics = [](std::string line) { return kMetrics.signal(std::move(line)); };
  std::vector<Case> cases = {
      {"data_dir", top("data_dir: /one"), top("data_dir: /two"),
       [](Agent& a) { return socket_address(a.life.config) + " " + store_directory(a.life.config.data_dir); },
       "unix:/one/admin.sock /one/store", "unix:/two/admin.sock /two/store"},
      {"guarantee",
       {.top = "guarantee: 1m\n", .signal = "  max_bytes: 4GiB\n"},
       {.top = "guarantee: 168h\n", .signal = "  max_bytes: 4GiB\n"},
       [](Agent& a) {
         const LogLines log;
         for (int i = 0; i < 30; ++i) {
           a.life.signal->observe();
           REQUIRE(a.life.write(3'000).has_value());
           a.life.clock.run_for(100ms);
         }
         return number(log.count("would not last as long as promised")) +
                log.last("would not last").erase(0, log.last("would not last").rfind(' '));
       },
       "0",
       "1 guarantee_seconds=604800"},
      {"disk.keep_free", top("disk: {keep_free: 20%}"), top("disk: {keep_free: 60%}"),
       [](Agent& a) {  // the disk in memory has 128 GiB, half of them free
         return number(a.life.snapshot().store->floor_bytes >> 30) + " GiB, room for " +
                number(a.life.queue.usage(a.life.lane).room_bytes >> 20) + " MiB";
       },
       "25 GiB, room for 4096 MiB", "76 GiB, room for 32 MiB"},
      {"memory.limit", top("memory: {limit: 64MiB}"), top("memory: {limit: 128MiB}"),
       [](Agent& a) {                                            // the disk hangs: how much waits in memory
         REQUIRE(a.life.run(a.life.queue.flush()).has_value());  // of cursors that were born
         a.life.clock.run_for(2s);
         a.life.disk_takes = 1h;
         std::size_t refused = 0;
         const auto append = [](SignalLife& life, std::size_t& no) -> awaitable<void> {
           wal::NewRecord record;
           record.bytes.assign(kMiB, '\0');
           const Result<> answer = co_await life.queue.append(life.lane, std::move(record));
           no += answer ? 0 : 1;
         };
         for (int i = 0; i < 40; ++i) {
           a.life.start(append(a.life, refused));
           a.life.clock.run_for(Duration{});
         }
         const std::size_t waiting = 40 - refused;
         a.life.disk_takes = 1ms;
         a.life.writer.hurry();
         a.life.clock.run_for(10s);
         return number(waiting);
       },
       "9", "17"},
      {"metrics", File{}, File{}, [](Agent& a) { return a.life.config.metrics ? "on" : "off"; }, "on", "on"},
      {"metrics.external_labels", metrics("external_labels: {site: here}"),
       metrics("external_labels: {site: there}"),
       [](Agent& a) {
         (void)a.sent();
         return a.life.mgmt[a.transport().url].points().at(0).labels.at("site");
       },
       "here", "there"},
      {"metrics.cluster_label", metrics("cluster_label: here"), metrics("cluster_label: there"),
       [](Agent& a) {
         (void)a.sent();
         const auto labels = a.life.mgmt[a.transport().url].points().at(0).labels;
         return (labels.contains("here") ? "here=" + labels.at("here") : "there=" + labels.at("there"));
       },
       "here=a", "there=a"},
      {"metrics.node_label", File{.top = "node: n7\n", .signal = "  node_label: here\n"},
       File{.top = "node: n8\n", .signal = "  node_label: here\n"},
       [](Agent& a) {
         (void)a.sent();
         return a.life.mgmt[a.transport().url].points().at(0).labels.at("here");
       },
       "n7", "n8"},
      {"metrics.destinations[].tenant", File{}, destination("tenant: blue"), header("THANOS-TENANT"), "",
       "blue"},
      {"metrics.destinations[].out_of_order_window", destination("out_of_order_window: 1h"),
       destination("out_of_order_window: 10h"),
       [](Agent& a) {
         const auto& config = a.life.config;
         const auto finding = check::judge_window(config.metrics->destinations.at(0), config.guarantee);
         return finding.level == check::Level::ok ? "enough" : "too small";
       },
       "too small", "enough"},
      {"metrics.destinations[].request_max_samples", destination("request_max_samples: 10"),
       destination("request_max_samples: 1000"),
       [](Agent& a) {
         REQUIRE(a.life.write(100).has_value());
         a.life.clock.run_for(1min);
         return a.life.mgmt[a.transport().url].requests.size() >= 10 ? "ten" : "one";
       },
       "ten", "one"},
      {"metrics.destinations[].request_max_bytes", destination("request_max_bytes: 16KiB"),
       destination("request_max_bytes: 1MiB"),
       [](Agent& a) {
         for (int i = 0; i < 10; ++i) REQUIRE(a.life.post("/api/v1/write", noise(10'000)).status == 204);
         a.life.clock.run_for(1min);
         const std::size_t requests = a.life.mgmt[a.transport().url].requests.size();
         a.life.mgmt[a.transport().url].answer(503);
         for (int i = 0; i < 10; ++i) REQUIRE(a.life.post("/api/v1/write", noise(10'000)).status == 204);
         a.life.clock.run_for(1s);
         a.life.mgmt[a.transport().url].requests.clear();
         a.life.mgmt[a.transport().url].answer(204);
         a.life.clock.run_for(5min);
         return requests > 0 && a.life.mgmt[a.transport().url].requests.size() >= 8 ? "one by one"
                                                                                    : "together";
       },
       "one by one", "together"},
      {"log.format", top("log: {format: logfmt}"), top("log: {format: json}"),
       [](Agent& a) { return log_options(a.life.config).format == log::Format::json ? "json" : "logfmt"; },
       "logfmt", "json"},
      {"log.level", top("log: {level: debug}"), top("log: {level: error}"),
       [](Agent& a) { return std::string(log::to_string(log_options(a.life.config).level)); }, "debug",
       "error"},
  };
  for (Case& shared : shared_cases(kMetrics)) cases.push_back(std::move(shared));
  return cases;
}

TEST_CASE("every key of the configuration reaches its part") { check_cases(cases()); }

TEST_CASE("no key of the configuration is left out of the test that it reaches its part") {
  std::set<std::string> known = known_keys(cases());
  // What a whole agent is needed for is in agent_test.cc.
  known.insert({"admin", "admin.listen", "cluster", "node"});
  for (const std::string& key : keys_of_the_schema()) {
    CAPTURE(key);
    CHECK((known.contains(key) || key.starts_with("logs")));
  }
}

}  // namespace
}  // namespace tideover
