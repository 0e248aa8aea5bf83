// As every_key_test.cc, of the section logs.
#include "forwarders/loki/push_scan.h"
#include "tests/unit/agent/shared_cases.h"

namespace tideover {
namespace {

const Section kLogs{"logs"};
File logs(std::string line) { return kLogs.signal(std::move(line)); }
// Of a file with rules: what arrives of one line of the container shop/web-0/app, and of one of others.
File with_rule(const std::string& rule) {
  return logs("files: [/pods/*/*/*.log]\n  relabel:\n    - {" + rule + "}");
}
std::string arrives(Agent& a, const std::string& pods = "/pods") {
  tail::FakeFiles& files = *a.life.files;
  for (const char* pod : {"shop_web-0_uid-1", "kube-system_dns-1_uid-2"}) {
    const std::string directory = pods + "/" + pod + "/app";
    files.make_directories(directory);
    files.append(directory + "/0.log", "2026-11-29T10:00:00.000000001Z stdout F hello\n");
  }
  a.life.clock.run_for(10s);
  struct Streams {
    std::set<std::string> labels;
    void stream(std::string_view name) { labels.emplace(name); }
    void entry(std::int64_t, std::string_view, std::string_view) {}
  } streams;
  for (const http::Request& request : a.life.mgmt[a.transport().url].requests)
    REQUIRE(loki::scan_push(test::snappy_plain(request.body), streams).has_value());
  std::string all;
  for (const std::string& labels : streams.labels) all += labels;
  return all;
}
auto shows(std::string words) {
  return [words](Agent& a) -> std::string {
    const std::string all = arrives(a);
    return all.find(words) != all.npos ? "there" : "not there";
  };
}

std::vector<Case> cases() {
  std::vector<Case> cases = {
      {"logs", kLogs.plain(), kLogs.plain(), [](Agent& a) { return a.life.config.logs ? "on" : "off"; }, "on",
       "on"},
      {"logs.files", logs("files: [/pods/*/*/*.log]"), logs("files: [/other/*/*/*.log]"),
       shows(R"(pod="web-0")"), "there", "not there"},
      {"logs.relabel", logs("files: [/pods/*/*/*.log]"), with_rule("target_label: team, replacement: red"),
       shows(R"(team="red")"), "not there", "there"},
      {"logs.relabel[].source_labels",
       with_rule("source_labels: [namespace], regex: kube-system, action: drop"),
       with_rule("source_labels: [pod], regex: kube-system, action: drop"), shows("kube-system"), "not there",
       "there"},
      {"logs.relabel[].separator", with_rule("source_labels: [namespace, pod], target_label: x"),
       with_rule("source_labels: [namespace, pod], separator: '', target_label: x"),
       shows(R"(x="shop;web-0")"), "there", "not there"},
      {"logs.relabel[].regex", with_rule("source_labels: [namespace], regex: kube-.*, action: drop"),
       with_rule("source_labels: [namespace], regex: shop, action: drop"), shows("kube-system"), "not there",
       "there"},
      {"logs.relabel[].modulus",
       with_rule("source_labels: [pod], modulus: 1, target_label: x, action: hashmod"),
       with_rule("source_labels: [nothing], modulus: 4294967296, target_label: x, action: hashmod"),
       shows(R"(x="0")"), "there", "not there"},
      {"logs.relabel[].target_label", with_rule("source_labels: [pod], target_label: x"),
       with_rule("source_labels: [pod], target_label: y"), shows(R"(x="web-0")"), "there", "not there"},
      {"logs.relabel[].replacement", with_rule("source_labels: [pod], target_label: x"),
       with_rule("source_labels: [pod], target_label: x, replacement: 'a-$1'"), shows(R"(x="a-web-0")"),
       "not there", "there"},
      {"logs.relabel[].action", with_rule("source_labels: [namespace], regex: shop, action: keep"),
       with_rule("source_labels: [namespace], regex: shop, action: drop"), shows("kube-system"), "not there",
       "there"},
      {"logs.destinations[].tenant", kLogs.plain(), kLogs.destination("tenant: blue"),
       header("X-Scope-OrgID"), "", "blue"},
      {"logs.destinations[].request_max_lines", kLogs.destination("request_max_lines: 10"),
       kLogs.destination("request_max_lines: 1000"),
       [](Agent& a) {
         REQUIRE(a.life.write(100).has_value());
         a.life.clock.run_for(1min);
         return a.life.mgmt[a.transport().url].requests.size() >= 10 ? "ten" : "one";
       },
       "ten", "one"},
      {"logs.destinations[].request_max_bytes", kLogs.destination("request_max_bytes: 16KiB"),
       kLogs.destination("request_max_bytes: 1MiB"),
       [](Agent& a) {
         std::size_t most = 0;
         a.life.mgmt[a.transport().url].answer(503);
         for (int i = 0; i < 10; ++i)
           REQUIRE(a.life.post("/loki/api/v1/push", a.life.push_of(1, 10'000)).status == 204);
         a.life.mgmt[a.transport().url].answer(204);
         a.life.clock.run_for(5min);
         for (const http::Request& request : a.life.mgmt[a.transport().url].requests)
           most = std::max(most, request.body.size());
         return most > 16'384 ? "together" : "one by one";
       },
       "one by one", "together"},
  };
  for (Case& shared : shared_cases(kLogs)) cases.push_back(std::move(shared));
  return cases;
}

TEST_CASE("every key of the section logs reaches its part") { check_cases(cases()); }

TEST_CASE("no key of the section logs is left out of the test that it reaches its part") {
  const std::set<std::string> known = known_keys(cases());
  for (const std::string& key : keys_of_the_schema()) {
    CAPTURE(key);
    CHECK((known.contains(key) || !key.starts_with("logs")));
  }
}

}  // namespace
}  // namespace tideover
