// The commands as a shell calls them: words in, exit status and text out.
#include "agent/cli/command_line.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "agent/json/plain.h"
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
  FakeAgent(const std::string& data_dir, std::vector<std::pair<std::string, std::string>> answers,
            const char* method = "GET")
      : clock_(io_) {
    std::filesystem::create_directory(data_dir);
    std::vector<server::Route> routes;
    for (const auto& [path, body] : answers) {
      server::Route route;
      route.method = method;
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
  for (const auto* word : {"run", "check", "status", "reload", "buffer", "version", "--version"})
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
  CHECK(outcome.err.find("keeps no secrets yet") != std::string::npos);
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

TEST_CASE("check of a file without a signal says that the agent would do nothing") {
  Files files;
  files.write("cluster: a\ndisk: {keep_free: 0%}\ndata_dir: " + (files.folder / "d") + "\n");
  CHECK(call({"check", "--config", files.config})
            .out.find("warning: config: " + files.config +
                      " has neither a section metrics nor a section logs") != std::string::npos);
}

TEST_CASE("check asks the agent that runs for destinations that were removed from the file") {
  Files files;
  files.write_good();
  FakeAgent agent(files.folder / "data", {{"/api/v1/status/destinations",
                                           R"({"destinations":[{"name":"thanos"},{"name":"old"}]})"}});
  const auto outcome = call({"check", "--config", files.config, "--offline"});
  CHECK(outcome.out.find("warning: destination old: is no longer in the configuration") != std::string::npos);
}

TEST_CASE("the version is said the way every program says it, too") {
  const auto outcome = call({"--version"});
  CHECK(outcome.status == kSuccess);
  CHECK(outcome.out == call({"version"}).out);
}

TEST_CASE(
    "a mistyped command is answered with the one that was meant, and one that resembles none with all") {
  const auto says = [](std::vector<std::string> words) {
    const auto outcome = call(std::move(words));
    CHECK(outcome.status == kBadUsage);
    return outcome.err;
  };
  CHECK(says({"stauts"}) == "tideover: \"stauts\" is no command: did you mean \"status\"?\n");
  CHECK(says({"buffer", "dropcursor", "x"}) ==
        "tideover: \"dropcursor\" is no command of buffer: did you mean \"drop-cursor\"?\n");
  CHECK(says({"fly"}).find("there are run, check, status") != std::string::npos);
  CHECK(says({"buffer", "drop-cursor"}).find("NAME") != std::string::npos);
}

TEST_CASE("a verb is asked of the agent's socket, and its answer is printed, for people or for scripts") {
  const TempDirectory folder;
  const std::string data = folder / "data";
  FakeAgent agent(data, {{"/-/reload", "done\n"}, {"/api/v1/buffer/replay-parked", "tried\n"}}, "POST");
  CHECK(call({"reload", "--data-dir", data}).out == "done\n");
  CHECK(call({"reload", "--data-dir", data, "--json"}).out == "{\"done\":true,\"sentence\":\"done\"}\n");
  CHECK(call({"buffer", "replay-parked", "--signal", "metrics", "--data-dir", data}).out == "tried\n");
  const auto refused = call({"buffer", "drop-cursor", "old", "--data-dir", data});
  CHECK(refused.status == kFault);
  CHECK(refused.out.empty());
  CHECK(refused.err.starts_with("tideover: "));
  CHECK(call({"reload", "--data-dir", folder / "none"}).err.find("no agent answers at") != std::string::npos);
}

TEST_CASE("what was refused is printed a line each, whatever a receiver has written into it") {
  const TempDirectory folder;
  const std::string data = folder / "data";
  FakeAgent agent(
      data,
      {{"/api/v1/status/destinations", R"({"destinations":[{"signal":"metrics","name":"thanos"}]})"},
       {"/api/v1/buffer/rejects",
        R"({"rejects":[{"number":1,"refused_timestamp":1700000000.5,"destination":"thanos",)"
        R"("reason":"bad_request","samples":2,"first":"up","sentence":"no\u001b[31m","message_bytes":9}],"next":null})"}});
  CHECK(call({"buffer", "rejects", "--data-dir", data}).out ==
        "2023-11-14T22:13:20Z thanos: 2 samples, bad_request: up: no [31m\n");
  const auto json = call({"buffer", "rejects", "thanos", "--data-dir", data, "--json"});
  CHECK(json.out.starts_with(R"({"number":1,"refused_timestamp":1700000000.5,)"));
  CHECK(json.out.find('\x1b') == std::string::npos);
}

TEST_CASE("numbers in JSON are written as people read them") {
  const auto plain = [](double number) { return plain_json(boost::json::value(number)); };
  CHECK(plain(1'795'906'109.876) == "1795906109.876");
  CHECK(plain(0) == "0");
  CHECK(plain(-0.0) == "0");
  CHECK(plain(1.8e9) == "1800000000");
  CHECK(plain(0.1) == "0.1");
  CHECK(plain(0.00002) == "0.0000200000");
  CHECK(plain_json(
            {{"a", {1, "x\"y", nullptr, true}}, {"b", boost::json::object{}}, {"c", boost::json::array{}}}) ==
        R"({"a":[1,"x\"y",null,true],"b":{},"c":[]})");
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
