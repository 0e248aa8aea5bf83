// The keys that the sections of all signals have, and those of all destinations.
#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/unit/agent/key_case.h"

namespace tideover {

// Files of one section.
struct Section {
  std::string name;

  File signal(std::string line) const { return {.signal = "  " + std::move(line) + "\n", .section = name}; }
  File destination(std::string line) const {
    return {.destination = "      " + std::move(line) + "\n", .section = name};
  }
  File named(std::string destination, std::string url) const {
    return {.name = std::move(destination), .url = std::move(url), .section = name};
  }
  File plain() const { return {.section = name}; }
};

inline std::function<std::string(Agent&)> header(std::string name) {
  return [name](Agent& agent) { return std::string(agent.sent().headers.find(name)); };
}

inline std::vector<Case> shared_cases(const Section& section) {
  const std::string of = section.name;
  const auto signal = [&](std::string line) { return section.signal(std::move(line)); };
  const auto destination = [&](std::string line) { return section.destination(std::move(line)); };
  const auto named = [&](std::string name, std::string url) {
    return section.named(std::move(name), std::move(url));
  };
  const auto small_and = [&](const std::string& line) {
    File file = destination(line);
    file.signal = "  listen: 127.0.0.1:0\n  max_bytes: 1MiB\n";
    return file;
  };
  const File plain = section.plain();
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
  const auto basic = [&](std::string user, std::string file) {
    return destination("auth: {basic: {username: " + user + ", password_file: " + file + "}}");
  };
  return {
      {of + ".listen", signal("listen: 127.0.0.1:0"), signal("listen: '[::1]:0'"),
       [](Agent& a) {
         Inheritance nothing;
         REQUIRE(a.life.signal->listen(nothing).has_value());
         return a.life.signal->servers().front()->asked_for();
       },
       "127.0.0.1:0", "[::1]:0"},
      {of + ".max_bytes", signal("listen: 127.0.0.1:0\n  max_bytes: 1MiB"),
       signal("listen: 127.0.0.1:0\n  max_bytes: 2MiB"),
       [](Agent& a) {
         const int taken = a.taken_while_away(20);
         return number(static_cast<std::uint64_t>(taken)) + " of " + number(a.life.buffer().max_bytes);
       },
       "5 of 1048576", "10 of 2097152"},
      {of + ".destinations", plain, destination("tenant: t\n    - {name: more, url: 'http://more:1/'}"),
       [](Agent& a) {
         REQUIRE(a.life.write(1).has_value());
         a.life.clock.run_for(5s);
         return number(a.life.signal->describe().destinations.size()) + " " +
                number(a.life.mgmt["http://more:1/"].requests.size());
       },
       "1 0", "2 1"},
      {of + ".destinations[].name", named("first", "http://mgmt:1/"), named("second", "http://mgmt:1/"),
       [](Agent& a) {
         return a.life.signal->describe().destinations.at(0).name + " " +
                a.life.queue.cursors(a.life.lane).at(0).name;
       },
       "first first", "second second"},
      {of + ".destinations[].url", named("thanos", "http://a:1/x"), named("thanos", "https://b:2/y"),
       [](Agent& a) { return a.transport().url + " " + a.life.signal->describe().destinations.at(0).url; },
       "http://a:1/x http://a:1/x", "https://b:2/y https://b:2/y"},
      {of + ".destinations[].required", small_and("required: true"), small_and("required: false"),
       [](Agent& a) {
         const int taken = a.taken_while_away(20);
         const auto d = a.life.destination();
         return number(static_cast<std::uint64_t>(taken)) + (d.required ? " required" : " best effort") +
                (d.account.ledger.lost[static_cast<std::size_t>(wal::Reason::budget)] > 0
                     ? ", loses its oldest"
                     : "");
       },
       "5 required", "20 best effort, loses its oldest"},
      {of + ".destinations[].from", destination("from: now"), destination("from: oldest"), {}, "0", "5"},
      {of + ".destinations[].request_timeout", destination("request_timeout: 5s"),
       destination("request_timeout: 20s"),
       [](Agent& a) {
         (void)a.sent();
         return number(static_cast<std::uint64_t>(a.life.mgmt[a.transport().url].patience / 1ms));
       },
       "5000", "20000"},
      {of + ".destinations[].max_bytes_per_second", destination("max_bytes_per_second: 4KiB"),
       destination("max_bytes_per_second: 1MiB"),
       [](Agent& a) {
         for (int i = 0; i < 20; ++i) {
           REQUIRE(a.post(20'000) == 204);
           a.life.clock.run_for(100ms);
         }
         a.life.clock.run_for(10s);
         REQUIRE(a.life.write(1).has_value());
         a.life.clock.run_for(10s);
         return a.life.destination().account.waiting > 0 ? "waits" : "delivered";
       },
       "waits", "delivered"},
      {of + ".destinations[].headers", destination("headers: {X-Team: red}"),
       destination("headers: {X-Team: green}"), header("X-Team"), "red", "green"},
      {of + ".destinations[].tls.ca_file", ca1, ca2, ca, "/ca1", "/ca2"},
      {of + ".destinations[].tls.cert_file", ce1, ce2, ce, "/c1", "/c2"},
      {of + ".destinations[].tls.key_file", ke1, ke2, ke, "/k1", "/k2"},
      {of + ".destinations[].tls.server_name", sn1, sn2, sn, "a", "b"},
      {of + ".destinations[].auth.bearer_file", destination("auth: {bearer_file: /t1}"),
       destination("auth: {bearer_file: /t2}"), [](Agent& a) { return a.transport().auth.bearer_file; },
       "/t1", "/t2"},
      {of + ".destinations[].auth.basic.username", basic("eva", "/p"), basic("tom", "/p"),
       [](Agent& a) { return a.transport().auth.username; }, "eva", "tom"},
      {of + ".destinations[].auth.basic.password_file", basic("eva", "/p1"), basic("eva", "/p2"),
       [](Agent& a) { return a.transport().auth.password_file; }, "/p1", "/p2"},
  };
}

}  // namespace tideover
