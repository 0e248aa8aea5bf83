// The commands as a shell calls them: words in, exit status and text out.
#include "agent/cli/command_line.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "agent/server/http_server.h"
#include "tests/support/temp_directory.h"
#include "wal/base/system_clock.h"

namespace tideover::cli {
namespace {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

int never(const config::Config&, const RunOptions&) {
  FAIL("the agent must not be started");
  return 0;
}

Outcome call(std::vector<std::string> words, const Run& run = never) {
  std::vector<const char*> argv{"tideover"};
  for (const auto& word : words) argv.push_back(word.c_str());
  std::ostringstream out;
  std::ostringstream err;
  const int status = command_line(static_cast<int>(argv.size()), argv.data(), run, out, err);
  return {status, out.str(), err.str()};
}

struct Files {
  TempDirectory folder;
  std::string config = folder / "t.yaml";

  void write(std::string_view text) const { std::ofstream(config) << text; }
  void write_good() const {
    write("cluster: a\ndata_dir: " + (folder / "data") +
          "\ndisk: {keep_free: 0%}\nmetrics: {max_bytes: 1MiB, destinations: [{name: thanos, "
          "out_of_order_window: 4h, "
          "url: 'http://127.0.0.1:9/'}]}\n");
  }
};

// An agent's admin socket with canned answers, on a thread of its own.
class FakeAgent {
 public:
  FakeAgent(const std::string& data_dir, std::vector<std::pair<std::string, std::string>> answers)
      : clock_(io_) {
    std::filesystem::create_directory(data_dir);
    std::vector<server::Route> routes;
    for (const auto& [path, body] : answers) {
      server::Route route;
      route.method = "GET";
      route.path = path;
      const std::string text = body;
      route.handle = [text](http::Request) -> awaitable<http::Response> {
        http::Response response;
        response.status = 200;
        response.body = text;
        co_return response;
      };
      routes.push_back(std::move(route));
    }
    server_ = std::make_unique<server::HttpServer>(io_, clock_, server::ServerLimits{}, std::move(routes));
    const auto listening = server_->listen("unix:" + data_dir + "/admin.sock");
    REQUIRE(listening.has_value());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~FakeAgent() {
    boost::asio::post(io_, [this] {
      boost::asio::co_spawn(io_, server_->stop(clock_.now() + std::chrono::seconds(1)),
                            boost::asio::detached);
    });
    thread_.join();
  }

 private:
  boost::asio::io_context io_;
  SystemClock clock_;
  std::unique_ptr<server::HttpServer> server_;
  std::thread thread_;
};

TEST_CASE("no words, unknown words and missing options are bad usage") {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{},
                                             {"fly"},
                                             {"run"},
                                             {"check"},
                                             {"run", "--config"},
                                             {"run", "--config", "x", "--only", "logs"},
                                             {"version", "--bogus"},
                                             {"status", "--data-dir", "/a", "--config", "/b"}}) {
    const auto outcome = call(words);
    CHECK(outcome.status == kBadUsage);
    CHECK(outcome.out.empty());
    CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("help is not an error") {
  const auto outcome = call({"--help"});
  CHECK(outcome.status == kSuccess);
  for (const auto* word : {"run", "check", "status", "version"})
    CHECK(outcome.out.find(word) != std::string::npos);
}

TEST_CASE("run hands the configuration to the agent and returns its status") {
  Files files;
  files.write_good();
  RunOptions seen;
  const Run run = [&](const config::Config& config, const RunOptions& options) {
    CHECK(config.cluster == "a");
    seen = options;
    return 1;
  };
  CHECK(call({"run", "--config", files.config, "--only", "telemetry", "--expand-env"}, run).status == 1);
  CHECK(seen.config_path == files.config);
  CHECK(seen.only == "telemetry");
  CHECK(seen.expand_env);
}

TEST_CASE("run refuses a bad configuration with its report, before anything starts") {
  Files files;
  files.write("clutser: a\n");
  const auto outcome = call({"run", "--config", files.config});
  CHECK(outcome.status == kBadUsage);
  CHECK(outcome.err.find(files.config + ":1:1: unknown key \"clutser\"") != std::string::npos);
}

TEST_CASE("run refuses to run a part that this version does not have") {
  const auto outcome = call({"run", "--config", "/x", "--only", "secrets"});
  CHECK(outcome.status == kBadUsage);
  CHECK(outcome.err.find("forwards metrics only") != std::string::npos);
}

TEST_CASE("version says which build this is, also to scripts") {
  const auto text = call({"version"});
  CHECK(text.status == kSuccess);
  CHECK(text.out.starts_with("tideover " TIDEOVER_VERSION " ("));
  const auto json = call({"version", "--json"});
  CHECK(json.out.starts_with(R"({"version":")" TIDEOVER_VERSION R"(","revision":")"));
}

TEST_CASE("check prints each finding on a line of its own, and a sum") {
  Files files;
  files.write_good();
  const auto outcome = call({"check", "--config", files.config, "--offline"});
  INFO(outcome.out);
  CHECK(outcome.status == kSuccess);
  CHECK(outcome.out.starts_with("ok: config: " + files.config +
                                " is legal, with 1 destination\nok: data_dir: "));
  CHECK(outcome.out.find("ok: destination thanos: out_of_order_window: 4h holds") != std::string::npos);
  CHECK(outcome.out.find("\n0 errors, ") != std::string::npos);
  CHECK(outcome.out.find("destination thanos: url") == std::string::npos);  // offline: not looked at
}

TEST_CASE("check fails when a destination cannot be reached") {
  Files files;
  files.write_good();
  const auto outcome = call({"check", "--config", files.config});
  CHECK(outcome.status == kFault);
  CHECK(outcome.out.find("error: destination thanos: url: no connection to 127.0.0.1 port 9") !=
        std::string::npos);
  CHECK(outcome.out.find("\n1 error, ") != std::string::npos);
}

TEST_CASE("check as JSON carries the same findings, and the faults of a file with their places") {
  Files files;
  files.write_good();
  const auto good = call({"check", "--config", files.config, "--offline", "--json"});
  CHECK(good.status == kSuccess);
  CHECK(good.out.starts_with(R"({"findings":[{"level":"ok","subject":"config",)"));
  files.write("cluster: a\nguarantee: 1\n");
  const auto bad = call({"check", "--config", files.config, "--json"});
  CHECK(bad.status == kBadUsage);
  CHECK(bad.out.find(R"("line":2,"column":12,"sentence":"guarantee:)") != std::string::npos);
}

TEST_CASE("check of a file without metrics says that the agent would do nothing") {
  Files files;
  files.write("cluster: a\ndisk: {keep_free: 0%}\ndata_dir: " + (files.folder / "d") + "\n");
  CHECK(call({"check", "--config", files.config})
            .out.find("warning: config: " + files.config + " has no section metrics") != std::string::npos);
}

TEST_CASE("check asks the agent that runs for destinations that were removed from the file") {
  Files files;
  files.write_good();
  FakeAgent agent(files.folder / "data", {{"/api/v1/status/destinations",
                                           R"({"destinations":[{"name":"thanos"},{"name":"old"}]})"}});
  const auto outcome = call({"check", "--config", files.config, "--offline"});
  CHECK(outcome.out.find("warning: destination old: is no longer in the configuration") != std::string::npos);
}

TEST_CASE("status without an agent says where it looked, and what to try") {
  const TempDirectory folder;
  const auto outcome = call({"status", "--data-dir", folder.path()});
  CHECK(outcome.status == kFault);
  CHECK(outcome.err.find("no agent answers at " + folder.path() + "/admin.sock: No such file or directory") !=
        std::string::npos);
  CHECK(outcome.err.find("Is it running") != std::string::npos);
}

TEST_CASE("status refuses an address that is none") {
  for (const auto* address : {"127.0.0.1:7301", "https://x", "unix:/x"})
    CHECK(call({"status", "--admin", address}).status == kBadUsage);
}

TEST_CASE("status finds the socket through the configuration, and prints what the agent answers") {
  Files files;
  files.write_good();
  FakeAgent agent(
      files.folder / "data",
      {{"/api/v1/status/buildinfo", R"({"version":"9.9","revision":"r"})"},
       {"/api/v1/status/buffer",
        R"({"signals":{},"disk":{"store_bytes":0,"free_bytes":0,"size_bytes":0,"floor_bytes":0}})"},
       {"/api/v1/status/destinations", R"({"destinations":[]})"},
       {"/api/v1/status/ledger", R"({"metrics":{}})"}});
  const auto table = call({"status", "--config", files.config});
  CHECK(table.status == kSuccess);
  CHECK(table.out.starts_with("tideover 9.9 (r)\n"));
  const auto json = call({"status", "--data-dir", files.folder / "data", "--json"});
  CHECK(json.status == kSuccess);
  CHECK(json.out.starts_with(R"({"buildinfo":{"version":"9.9")"));
}

TEST_CASE("status of something that is no agent says so") {
  Files files;
  files.write_good();
  FakeAgent agent(files.folder / "data", {{"/", "hello"}});
  const auto outcome = call({"status", "--config", files.config});
  CHECK(outcome.status == kFault);
  CHECK(outcome.err.find("it answered 404 to /api/v1/status/buildinfo") != std::string::npos);
}

}  // namespace
}  // namespace tideover::cli
