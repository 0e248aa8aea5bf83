// Every bound that docs/CONFIG.md names: what lies on it is taken, what lies beyond it is a fault.
#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <string>

#include "agent/config/load.h"

namespace tideover::config {
namespace {

std::string file(const std::string& top, const std::string& metrics = {}, const std::string& destination = {},
                 const std::string& name = "thanos") {
  return "cluster: a\n" + top + "metrics:\n" + metrics + "  destinations:\n    - name: " + name +
         "\n      url: http://a:1/\n" + destination;
}
bool taken(const std::string& text, const LoadOptions& options = {}) {
  const Loaded loaded = parse(text, "t.yaml", options);
  CHECK(loaded.config.has_value() == loaded.faults.empty());
  return loaded.config.has_value();
}
bool top(const std::string& line) { return taken(file(line + "\n")); }
bool metrics(const std::string& line) { return taken(file("", "  " + line + "\n")); }
bool destination(const std::string& line) { return taken(file("", "", "      " + line + "\n")); }
bool name(const std::string& text) { return taken(file("", "", "", text)); }

std::string pairs(const std::string& key, int n) {
  std::string text = key + ": {";
  for (int i = 0; i < n; ++i) text += fmt::format("{}n{}: v", i == 0 ? "" : ", ", i);
  return text + "}";
}
std::string destinations(int n) {
  std::string text = "cluster: a\nmetrics:\n  destinations:\n";
  for (int i = 0; i < n; ++i) text += fmt::format("    - {{name: n{}, url: 'http://a:1/'}}\n", i);
  return text;
}

TEST_CASE("durations, sizes and parts are taken up to their bounds") {
  CHECK(top("guarantee: 1m"));
  CHECK(top("guarantee: 168h"));
  CHECK_FALSE(top("guarantee: 59s"));
  CHECK_FALSE(top("guarantee: 168h1ms"));
  CHECK(top("disk: {keep_free: 0%}"));
  CHECK(top("disk: {keep_free: 90%}"));
  CHECK_FALSE(top("disk: {keep_free: 90.1%}"));
  CHECK_FALSE(top("disk: {keep_free: 1000%}"));
  CHECK(top("memory: {limit: 64MiB}"));
  CHECK(top("memory: {limit: 1TiB}"));
  CHECK_FALSE(top("memory: {limit: 67108863}"));
  CHECK_FALSE(top("memory: {limit: 1025GiB}"));
  CHECK(metrics("max_bytes: 1MiB"));
  CHECK(metrics("max_bytes: 64TiB"));
  CHECK_FALSE(metrics("max_bytes: 1023KiB"));
  CHECK_FALSE(metrics("max_bytes: 65TiB"));
  CHECK(destination("out_of_order_window: 0s"));
  CHECK(destination("out_of_order_window: 720h"));
  CHECK_FALSE(destination("out_of_order_window: 721h"));
}

TEST_CASE("lists and pairs have at most as many entries as are said") {
  CHECK(taken(destinations(1)));
  CHECK(taken(destinations(8)));
  CHECK_FALSE(taken(destinations(9)));
  CHECK_FALSE(taken("cluster: a\nmetrics: {destinations: []}\n"));
  CHECK(metrics(pairs("external_labels", 32)));
  CHECK_FALSE(metrics(pairs("external_labels", 33)));
  CHECK(destination(pairs("headers", 16)));
  CHECK_FALSE(destination(pairs("headers", 17)));
}

TEST_CASE("a destination's name has 1 to 40 of a-z, 0-9 and -") {
  CHECK(name("a"));
  CHECK(name(std::string(40, 'a')));
  CHECK_FALSE(name(std::string(41, 'a')));
  for (const char* good : {"a-b", "0", "z9"}) CHECK(name(good));
  for (const char* bad : {"A", "a_b", "a.b", "a/b", "\"a b\""}) CHECK_FALSE(name(bad));
}

TEST_CASE("a variable's name has any letters, digits and underscores, and does not begin with a digit") {
  LoadOptions options;
  options.expand_env = true;
  options.environment = [](const std::string&) { return std::optional<std::string>("value"); };
  CHECK(taken(file("node: ${A1}\n"), options));
  CHECK(taken(file("node: ${_}\n"), options));
  CHECK(taken(file("node: ${a_zA_Z0_9}\n"), options));
  for (const char* bad : {"${1A}", "${}", "${A-B}", "${A"})
    CHECK_FALSE(taken(file(fmt::format("node: '{}'\n", bad)), options));
}

}  // namespace
}  // namespace tideover::config
