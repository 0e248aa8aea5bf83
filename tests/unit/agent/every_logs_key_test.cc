// As every_key_test.cc, of the section logs.
#include "forwarders/loki/push_scan.h"
#include "tests/unit/agent/key_case.h"

namespace tideover {
namespace {

File logs(std::string line) { return {.signal = "  " + std::move(line) + "\n", .section = "logs"}; }
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

File destination(std::string line) {
  return {.destination = "      " + std::move(line) + "\n", .section = "logs"};
}
File named(std::string name, std::string url) {
  return {.name = std::move(name), .url = std::move(url), .section = "logs"};
}

std::vector<Case> cases() {
  const auto with_tls = [&](std::string first, std::string second, auto member) {
    File a = destination("tls: {" + first + "}");
    File b = destination("tls: {" + second + "}");
    a.url = b.url = "https://mgmt:1/api";
    return std::tuple(a, b, [member](Agent& agent) { return agent.transport().tls.*member; });
  };
  const auto [ca1, ca2, ca] = with_tls("ca_file: /ca1", "ca_file: /ca2", &http::TlsOptions::ca_file);
  const auto [ce1, ce2, ce] =
      with_tls("cert_file: /c1, key_file: /k", "cert_file: /c2, key_file: /k", &http::TlsOptions::cert_file);
  const auto [ke1, ke2, ke] =
      with_tls("cert_file: /c, key_file: /k1", "cert_file: /c, key_file: /k2", &http::TlsOptions::key_file);
  const auto [sn1, sn2, sn] = with_tls("server_name: a", "server_name: b", &http::TlsOptions::server_name);
  const auto header = [](std::string name) {
    return [name](Agent& agent) { return std::string(agent.sent().headers.find(name)); };
  };
  const auto basic = [](std::string user, std::string file) {
    return destination("auth: {basic: {username: " + user + ", password_file: " + file + "}}");
  };
  const File plain = named("thanos", "http://mgmt:1/api");
  return {
      {"logs", plain, plain, [](Agent& a) { return a.life.config.logs ? "on" : "off"; }, "on", "on"},
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
      {"logs.listen", logs("listen: 127.0.0.1:0"), logs("listen: '[::1]:0'"),
       [](Agent& a) {
         Inheritance nothing;
         REQUIRE(a.life.signal->listen(nothing).has_value());
         return a.life.signal->servers().front()->asked_for();
       },
       "127.0.0.1:0", "[::1]:0"},
      {"logs.max_bytes", logs("listen: 127.0.0.1:0\n  max_bytes: 1MiB"),
       logs("listen: 127.0.0.1:0\n  max_bytes: 2MiB"),
       [](Agent& a) {
         const int taken = a.taken_while_away(20);
         return number(static_cast<std::uint64_t>(taken)) + " of " + number(a.life.buffer().max_bytes);
       },
       "5 of 1048576", "10 of 2097152"},
      {"logs.destinations", plain, destination("tenant: t\n    - {name: more, url: 'http://more:1/'}"),
       [](Agent& a) {
         REQUIRE(a.life.write(1).has_value());
         a.life.clock.run_for(5s);
         return number(a.life.signal->describe().destinations.size()) + " " +
                number(a.life.mgmt["http://more:1/"].requests.size());
       },
       "1 0", "2 1"},
      {"logs.destinations[].name", named("first", "http://mgmt:1/"), named("second", "http://mgmt:1/"),
       [](Agent& a) {
         return a.life.signal->describe().destinations.at(0).name + " " +
                a.life.queue.cursors(a.life.lane).at(0).name;
       },
       "first first", "second second"},
      {"logs.destinations[].url", named("thanos", "http://a:1/x"), named("thanos", "https://b:2/y"),
       [](Agent& a) { return a.transport().url + " " + a.life.signal->describe().destinations.at(0).url; },
       "http://a:1/x http://a:1/x", "https://b:2/y https://b:2/y"},
      {"logs.destinations[].tenant", plain, destination("tenant: blue"), header("X-Scope-OrgID"), "", "blue"},
      {"logs.destinations[].required",
       {.signal = "  listen: 127.0.0.1:0\n  max_bytes: 1MiB\n",
        .destination = "      required: true\n",
        .section = "logs"},
       {.signal = "  listen: 127.0.0.1:0\n  max_bytes: 1MiB\n",
        .destination = "      required: false\n",
        .section = "logs"},
       [](Agent& a) {
         const int taken = a.taken_while_away(20);
         const auto d = a.life.destination();
         return number(static_cast<std::uint64_t>(taken)) + (d.required ? " required" : " best effort") +
                (d.account.ledger.lost[static_cast<std::size_t>(wal::Reason::budget)] > 0
                     ? ", loses its oldest"
                     : "");
       },
       "5 required",
       "20 best effort, loses its oldest"},
      {"logs.destinations[].from", destination("from: now"), destination("from: oldest"), {}, "0", "5"},
      {"logs.destinations[].request_timeout", destination("request_timeout: 5s"),
       destination("request_timeout: 20s"),
       [](Agent& a) {
         (void)a.sent();
         return number(static_cast<std::uint64_t>(a.life.mgmt[a.transport().url].patience / 1ms));
       },
       "5000", "20000"},
      {"logs.destinations[].request_max_lines", destination("request_max_lines: 10"),
       destination("request_max_lines: 1000"),
       [](Agent& a) {
         REQUIRE(a.life.write(100).has_value());
         a.life.clock.run_for(1min);
         return a.life.mgmt[a.transport().url].requests.size() >= 10 ? "ten" : "one";
       },
       "ten", "one"},
      {"logs.destinations[].request_max_bytes", destination("request_max_bytes: 16KiB"),
       destination("request_max_bytes: 1MiB"),
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
      {"logs.destinations[].max_bytes_per_second", destination("max_bytes_per_second: 4KiB"),
       destination("max_bytes_per_second: 1MiB"),
       [](Agent& a) {
         for (int i = 0; i < 20; ++i) {
           REQUIRE(a.life.post("/loki/api/v1/push", a.life.push_of(1, 20'000)).status == 204);
           a.life.clock.run_for(100ms);
         }
         a.life.clock.run_for(10s);
         REQUIRE(a.life.write(1).has_value());
         a.life.clock.run_for(10s);
         return a.life.destination().account.waiting > 0 ? "waits" : "delivered";
       },
       "waits", "delivered"},
      {"logs.destinations[].headers", destination("headers: {X-Team: red}"),
       destination("headers: {X-Team: green}"), header("X-Team"), "red", "green"},
      {"logs.destinations[].tls.ca_file", ca1, ca2, ca, "/ca1", "/ca2"},
      {"logs.destinations[].tls.cert_file", ce1, ce2, ce, "/c1", "/c2"},
      {"logs.destinations[].tls.key_file", ke1, ke2, ke, "/k1", "/k2"},
      {"logs.destinations[].tls.server_name", sn1, sn2, sn, "a", "b"},
      {"logs.destinations[].auth.bearer_file", destination("auth: {bearer_file: /t1}"),
       destination("auth: {bearer_file: /t2}"), [](Agent& a) { return a.transport().auth.bearer_file; },
       "/t1", "/t2"},
      {"logs.destinations[].auth.basic.username", basic("eva", "/p"), basic("tom", "/p"),
       [](Agent& a) { return a.transport().auth.username; }, "eva", "tom"},
      {"logs.destinations[].auth.basic.password_file", basic("eva", "/p1"), basic("eva", "/p2"),
       [](Agent& a) { return a.transport().auth.password_file; }, "/p1", "/p2"},
  };
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
