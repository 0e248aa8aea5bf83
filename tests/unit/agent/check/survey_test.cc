// `check` as a whole: what it looks at, and that it asks nobody under --offline.
#include "agent/check/survey.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "agent/check/judge.h"
#include "agent/config/load.h"
#include "tests/support/temp_directory.h"

namespace tideover::check {
namespace {

using std::filesystem::perms;

struct Node {
  TempDirectory folder;
  std::string write(const std::string& name, perms mode) const {
    const std::string path = folder / name;
    std::ofstream(path) << "content";
    std::filesystem::permissions(path, mode);
    return path;
  }
  config::Config config(const std::string& destination) const {
    const config::Loaded loaded = config::parse(
        "cluster: a\ndata_dir: " + (folder / "data") + "\nmetrics:\n  destinations:\n" + destination,
        "t.yaml");
    INFO(loaded.report);
    REQUIRE(loaded.config);
    return *loaded.config;
  }
};

std::map<std::string, Level> levels_of(const Findings& findings) {
  std::map<std::string, Level> levels;
  for (const Finding& finding : findings) levels[finding.subject] = finding.level;
  return levels;
}

constexpr perms kOpen = perms::owner_read | perms::others_read;
constexpr perms kOwn = perms::owner_read;

TEST_CASE("every file of a destination is looked at, and those that hold secrets are not for everybody") {
  Node node;
  const std::string ca = node.write("ca", kOpen), cert = node.write("cert", kOpen);
  const bool open = GENERATE(true, false);
  const std::string key = node.write("key", open ? kOpen : kOwn);
  const std::string secret = node.write("secret", open ? kOpen : kOwn);
  const bool basic = GENERATE(true, false);
  const std::string auth =
      basic ? "{basic: {username: u, password_file: " + secret + "}}" : "{bearer_file: " + secret + "}";
  const auto config =
      node.config("    - name: a\n      url: https://127.0.0.1:1/\n      tls: {ca_file: " + ca +
                  ", cert_file: " + cert + ", key_file: " + key + "}\n      auth: " + auth + "\n");
  const auto levels = levels_of(survey(config, {.offline = true}));
  CHECK(levels.at("destination a: tls.ca_file") == Level::ok);
  CHECK(levels.at("destination a: tls.cert_file") == Level::ok);
  const Level of_secrets = open ? Level::warning : Level::ok;
  CHECK(levels.at("destination a: tls.key_file") == of_secrets);
  CHECK(levels.at(basic ? "destination a: auth.basic.password_file" : "destination a: auth.bearer_file") ==
        of_secrets);
}

TEST_CASE("a destination is reached for unless the check is offline, and its window is judged either way") {
  Node node;
  const auto config = node.config("    - {name: a, url: 'http://127.0.0.1:1/', out_of_order_window: 4h}\n");
  const auto offline = levels_of(survey(config, {.offline = true}));
  CHECK_FALSE(offline.contains("destination a: url"));
  CHECK(offline.at("destination a: out_of_order_window") == Level::ok);
  const auto online = levels_of(survey(config, {.offline = false}));
  CHECK(online.at("destination a: url") == Level::error);  // nobody listens there
  for (const char* subject : {"data_dir", "disk.keep_free", "metrics.max_bytes", "clock", "memory.limit"})
    CHECK(offline.contains(subject));
}

TEST_CASE("a window that is just what is needed is enough, and a moment less is not") {
  using namespace std::chrono_literals;
  config::Destination destination;
  const config::Milliseconds guarantee = 2h;
  destination.out_of_order_window = window_needed(guarantee);
  CHECK(destination.out_of_order_window == config::Milliseconds(2h + 30min));
  CHECK(judge_window(destination, guarantee).level == Level::ok);
  *destination.out_of_order_window -= 1ms;
  CHECK(judge_window(destination, guarantee).level == Level::warning);
}

}  // namespace
}  // namespace tideover::check
