// The composition root, from outside: what starts, answers, reloads and ends, and what is said meanwhile.
#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <string>

#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/agent_process.h"
#include "tests/unit/agent/plain_receiver.h"

namespace tideover {
namespace {

const std::string kTwo =
    "{name: thanos, url: 'http://127.0.0.1:1/'}, {name: archive, url: 'http://127.0.0.1:1/', required: "
    "false}";

std::string samples(int n) {
  test::WriteRequest request;
  request.series({{"__name__", "up"}});
  for (int i = 0; i < n; ++i) request.sample(1'000 + i, i);
  return test::snappy_block(request.encode(test::Version::v1));
}

bool says(const std::string& body, std::string_view words) { return body.find(words) != body.npos; }

TEST_CASE("what a receiver refused for good is read page by page over the socket, without its secrets") {
  PlainReceiver receiver;
  receiver.status = 400;
  receiver.words = "invalid labels: ";
  AgentProcess agent;
  agent.configure("{name: thanos, url: '" + receiver.url() + "write?key=SECRET-7'}");
  agent.start_and_wait();
  const auto page = [&](const std::string& more) {
    return agent.ask("GET", "/api/v1/buffer/rejects?destination=thanos" + more);
  };
  CHECK(agent.ask_tcp("GET", "/api/v1/buffer/rejects?destination=thanos").status == 404);
  CHECK(agent.ask("GET", "/api/v1/buffer/rejects?destination=nobody").status == 404);
  CHECK(agent.ask("GET", "/api/v1/buffer/rejects").status == 400);
  CHECK(page("&from=x").status == 400);
  CHECK(page("").body == "{\"rejects\":[],\"next\":null}\n");
  for (int i = 0; i < 3; ++i) CHECK(agent.write(samples(2)) == 204);
  REQUIRE(soon([&] { return says(page("").body, R"("number":)"); }));
  const std::string first = page("").body;
  for (const char* words :
       {R"("reason":)", R"("first":"{__name__=\"up\"}")", R"(/write?...)", R"("destination":"thanos")"})
    CHECK(says(first, words));
  CHECK_FALSE(says(first, "SECRET"));
  CHECK_FALSE(says(page("&from=100000").body, R"("number":)"));
  CHECK(page("&signal=logs").status == 404);
  CHECK(agent.ask("POST", "/api/v1/buffer/replay-parked?signal=logs").status == 404);
  CHECK(agent.ask("POST", "/api/v1/buffer/replay-parked?signal=metrics").status == 200);
  CHECK(agent.stop() == 0);
}

TEST_CASE("what may be a secret in a destination is shown on no surface of a running agent") {
  PlainReceiver receiver;
  receiver.status = 500;
  AgentProcess agent;
  agent.configure("{name: thanos, url: '" + receiver.url() +
                  "write?key=SECRET-7', headers: {X-License-Key: SECRET-8}}");
  agent.start_and_wait();
  CHECK(agent.write(samples(1)) == 204);
  REQUIRE(soon([&] { return agent.logged("destination is down") == 1; }));
  for (const char* path : {"/metrics", "/api/v1/status/buildinfo", "/api/v1/status/buffer",
                           "/api/v1/status/destinations", "/api/v1/status/ledger"})
    CHECK_FALSE(says(agent.ask_tcp("GET", path).body, "SECRET"));
  CHECK(says(agent.ask_tcp("GET", "/api/v1/status/destinations").body, "/write?..."));
  CHECK(agent.stop() == 0);
  CHECK(agent.logged("SECRET") == 0);
}

TEST_CASE("the agent answers on its admin address and its socket, and only the socket changes anything") {
  AgentProcess agent;
  agent.start_and_wait();
  for (const bool tcp : {true, false}) {
    const auto ask = [&](const char* method, const char* path) {
      return tcp ? agent.ask_tcp(method, path) : agent.ask(method, path);
    };
    CHECK(ask("GET", "/-/healthy").status == 200);
    CHECK(ask("GET", "/-/ready").status == 200);
    CHECK(says(ask("GET", "/metrics").body, "\ntideover_config_last_reload_successful 1\n"));
    CHECK(says(ask("GET", "/metrics").body, "\ntideover_buffer_limit_bytes{signal=\"metrics\"} 4194304\n"));
    CHECK(says(ask("GET", "/api/v1/status/buildinfo").body, R"("cluster":"app1","node":"node-7")"));
    CHECK(says(ask("GET", "/api/v1/status/buffer").body, R"("max_bytes":4194304)"));
    CHECK(says(ask("GET", "/api/v1/status/destinations").body, R"("name":"thanos")"));
    CHECK(says(ask("GET", "/api/v1/status/ledger").body, R"("thanos":{"accepted":0)"));
    CHECK(ask("POST", "/-/healthy").status == 405);
  }
  for (const char* path :
       {"/-/reload", "/api/v1/buffer/replay-parked", "/api/v1/buffer/drop-cursor?destination=x"}) {
    CHECK(agent.ask_tcp("POST", path).status == 404);
    CHECK(agent.ask("GET", path).status == 405);
  }
  const std::string first = agent.log().substr(0, agent.log().find('\n'));
  CHECK(first.starts_with("{\"time\":"));
  for (const char* words : {R"("level":"info")", R"("msg":"tideover is ready")", R"("cluster":"app1")",
                            R"("node":"node-7")", R"("version":)", R"("data_dir":)"})
    CHECK(says(first, words));
  using std::filesystem::perms;
  CHECK(std::filesystem::status(agent.data_dir + "/admin.sock").permissions() ==
        (perms::owner_read | perms::owner_write));
  CHECK(agent.stop() == 0);
  CHECK(agent.logged("\"stopping\"") == 1);
  CHECK(agent.logged(R"("msg":"stopped","status":0)") == 1);
  CHECK_FALSE(std::filesystem::exists(agent.data_dir + "/admin.sock"));
}

TEST_CASE("what was answered 204 is there after the process was killed, and one signal is enough to stop") {
  AgentProcess agent;
  agent.configure("{name: thanos, url: 'http://127.0.0.1:1/', from: oldest}");
  agent.start_and_wait();
  REQUIRE(agent.write(samples(5)) == 204);
  CHECK(agent.stop(SIGKILL) == -SIGKILL);
  agent.start_and_wait();
  CHECK(soon(
      [&] { return says(agent.ask("GET", "/api/v1/status/destinations").body, R"("backlog_samples":5)"); }));
  CHECK(agent.stop(SIGINT) == 0);
}

TEST_CASE("what is taken in is delivered, and a stop waits for a receiver that takes the rest") {
  PlainReceiver receiver;
  AgentProcess agent;
  agent.configure("{name: thanos, url: '" + receiver.url() + "'}");
  agent.start_and_wait();
  REQUIRE(agent.write(samples(2)) == 204);
  CHECK(soon([&] { return receiver.requests == 1; }));
  CHECK(soon([&] { return says(agent.ask("GET", "/api/v1/status/ledger").body, R"("delivered":2)"); }));
  // Just taken in, and told to stop: well before a sender would have come to it.
  REQUIRE(agent.write(samples(3)) == 204);
  CHECK(agent.stop() == 0);
  CHECK(receiver.requests == 2);
}

TEST_CASE("a full buffer is logged while it is full, and nothing of the buffer is anybody else's to read") {
  AgentProcess agent;
  agent.start_and_wait();
  int answer = 204;
  for (int i = 0; i < 10 && answer == 204; ++i) answer = agent.write(test::noise(900'000));
  CHECK(answer == 503);
  CHECK(soon([&] { return agent.logged("new samples are refused with 503") == 1; }));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(agent.data_dir)) {
    CAPTURE(entry.path().string());
    using std::filesystem::perms;
    CHECK((entry.status().permissions() & (perms::group_all | perms::others_all)) == perms::none);
  }
  CHECK(agent.stop() == 0);
}

TEST_CASE("an agent whose store cannot be opened yet lives, is not ready, and goes on once it can") {
  AgentProcess agent;
  const std::string in_the_way = agent.data_dir + "/store/OWNER";  // where the store's lock belongs
  std::filesystem::create_directories(in_the_way);
  for (const std::string& folder : {agent.data_dir, agent.data_dir + "/store"})
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  agent.start();
  REQUIRE(soon([&] { return agent.ask_tcp("GET", "/-/healthy").status == 200; }));
  REQUIRE(soon([&] { return agent.logged("the store cannot be opened yet, and is tried again") == 1; }));
  CHECK(agent.ask_tcp("GET", "/-/ready").status == 503);
  CHECK(agent.write(samples(1)) == 0);  // nobody listens there yet
  const bool cured = GENERATE(true, false);
  if (cured) {
    std::filesystem::remove(in_the_way);
    CHECK(soon([&] { return agent.ask_tcp("GET", "/-/ready").status == 200; }));
    CHECK(agent.logged("the store cannot be opened yet") == 1);  // said once
    CHECK(agent.write(samples(1)) == 204);
  }
  CHECK(agent.stop() == 0);
}

// The configuration as it is, with another data directory.
void move_to(const AgentProcess& agent, const std::string& data_dir) {
  agent.configure();
  std::ifstream old(agent.config_path);
  std::string text(std::istreambuf_iterator<char>(old), {});
  text.replace(text.find(agent.data_dir), agent.data_dir.size(), data_dir);
  std::ofstream(agent.config_path) << text;
}

TEST_CASE("operators reach an agent whose store cannot be opened, and can give it another directory") {
  AgentProcess agent;
  std::filesystem::create_directories(agent.data_dir + "/store/OWNER");
  for (const std::string& folder : {agent.data_dir, agent.data_dir + "/store"})
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  agent.start();
  REQUIRE(soon([&] { return agent.ask("GET", "/-/ready").status == 503; }));
  REQUIRE(soon([&] { return says(agent.ask("GET", "/-/ready").body, "the store cannot be opened yet: "); }));
  const std::string because = agent.ask("GET", "/-/ready").body;
  const boost::json::value status = boost::json::parse(agent.ask("GET", "/api/v1/status/buffer").body);
  CHECK_FALSE(status.at("ready").as_bool());
  CHECK(std::string(status.at("not_ready_because").as_string()) + "\n" == because);
  CHECK(status.at("disk").is_null());
  CHECK(says(agent.ask_tcp("GET", "/metrics").body, "\ntideover_ready 0\n"));
  CHECK_FALSE(says(agent.ask_tcp("GET", "/metrics").body, "tideover_disk_free_bytes"));

  std::ofstream(agent.config_path) << "cluster: [\n";
  CHECK(agent.ask("POST", "/-/reload").status == 400);
  ::kill(agent.pid, SIGHUP);
  CHECK(soon([&] { return agent.logged("the new configuration cannot be used; the old one stays") == 2; }));
  move_to(agent, agent.folder / "other");
  const auto refused = agent.ask("POST", "/-/reload");
  CHECK(refused.status == 400);
  CHECK(says(refused.body, "nobody knows what the store"));
  CHECK(agent.ask("POST", "/-/reload?leave_backlog=true").status == 200);
  CHECK(soon([&] { return agent.ask_tcp("GET", "/-/ready").status == 200; }));
  CHECK(soon([&] { return agent.write(samples(1)) == 204; }));
  CHECK(std::filesystem::exists(agent.folder / "other/admin.sock"));
  CHECK_FALSE(std::filesystem::exists(agent.data_dir + "/admin.sock"));
  CHECK(agent.stop() == 0);
}

// The store cannot be opened from now on, and again.
struct Obstacle {
  explicit Obstacle(const AgentProcess& agent) : where(agent.data_dir + "/store/OWNER") {
    std::filesystem::remove(where);
    std::filesystem::create_directories(where);
    for (const std::string& folder : {agent.data_dir, agent.data_dir + "/store"})
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  }
  void remove() const { std::filesystem::remove(where); }
  const std::string where;
};

TEST_CASE("a directory whose store cannot be opened yet belongs to the agent that waits for it") {
  AgentProcess first;
  const Obstacle obstacle(first);
  first.start();
  REQUIRE(soon([&] { return first.ask("GET", "/-/ready").status == 503; }));
  AgentProcess second;
  move_to(second, first.data_dir);
  second.start();
  CHECK(second.ended() == 1);
  CHECK(says(second.log(), "is in use by"));
  CHECK(first.ask("GET", "/-/healthy").status == 200);
  CHECK(first.stop() == 0);
}

TEST_CASE("who connects while reload follows reload and the store is shut is served once it opens") {
  AgentProcess agent;
  agent.start_and_wait();
  const Obstacle obstacle(agent);
  REQUIRE(agent.ask("POST", "/-/reload").status == 200);
  REQUIRE(soon([&] { return agent.logged("the store cannot be opened yet") == 1; }));
  std::atomic<int> answer = -1;
  std::thread waiting([&] { answer = agent.write(samples(1)); });
  std::this_thread::sleep_for(100ms);  // in which it connects; it may as well do so later
  REQUIRE(agent.ask("POST", "/-/reload").status == 200);
  REQUIRE(soon([&] { return agent.logged("the store cannot be opened yet") == 2; }));
  obstacle.remove();
  CHECK(soon([&] { return answer >= 0; }));
  CHECK(soon([&] { return agent.ask_tcp("GET", "/-/ready").status == 200; }));
  CHECK(agent.stop() == 0);
  waiting.join();  // the end of the agent ends it, too
  CHECK(answer == 204);
}

TEST_CASE("another agent on a directory in use ends, and leaves the first one's socket alone") {
  AgentProcess first;
  first.start_and_wait();
  AgentProcess second;
  move_to(second, first.data_dir);
  second.start();
  CHECK(second.ended() == 1);
  CHECK(second.logged("is in use by process") == 1);
  CHECK(first.ask("GET", "/-/ready").status == 200);
  CHECK(first.stop() == 0);
}

TEST_CASE("a reload to another directory is refused with the count of what would be left behind") {
  AgentProcess agent;
  agent.start_and_wait();
  REQUIRE(agent.write(samples(5)) == 204);
  move_to(agent, agent.folder / "other");
  const auto refused = agent.ask("POST", "/-/reload");
  CHECK(refused.status == 400);
  CHECK(says(refused.body, "5 samples of metrics that are not delivered yet"));
  CHECK(says(refused.body, "tideover reload --leave-backlog"));
  ::kill(agent.pid, SIGHUP);
  CHECK(soon([&] { return agent.logged("5 samples of metrics that are not delivered yet") == 2; }));
  CHECK(says(agent.ask("GET", "/metrics").body, "\ntideover_config_last_reload_successful 0\n"));
  CHECK(agent.write(samples(1)) == 204);
  CHECK(agent.ask("POST", "/-/reload?leave_backlog=true").status == 200);
  CHECK(soon([&] { return std::filesystem::exists(agent.folder / "other/store/CURRENT"); }));
  CHECK(soon([&] { return agent.write(samples(1)) == 204; }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a reload takes a good file in place, and a faulty one changes nothing and is shown") {
  AgentProcess agent;
  agent.start_and_wait();
  REQUIRE(agent.write(samples(5)) == 204);
  const pid_t before = agent.pid;

  std::ofstream(agent.config_path) << "cluster: [\n";
  const auto refused = agent.ask("POST", "/-/reload");
  CHECK(refused.status == 400);
  CHECK(says(refused.body, "tideover.yaml:"));
  CHECK(says(agent.ask("GET", "/metrics").body, "\ntideover_config_last_reload_successful 0\n"));
  CHECK(agent.logged("the new configuration cannot be used; the old one stays") == 1);
  const AgentProcess::Client kept(agent.intake_port);
  CHECK(kept.write(samples(1)) == 204);

  agent.configure(kTwo, "external_labels: {a: b},");
  const bool by_signal = GENERATE(true, false);
  if (by_signal)
    ::kill(agent.pid, SIGHUP);
  else
    CHECK(agent.ask("POST", "/-/reload").status == 200);
  // It stays ready, and takes requests, while one image follows the other.
  bool always_ready = true;
  CHECK(soon([&] {
    const int ready = agent.ask_tcp("GET", "/-/ready").status;
    always_ready = always_ready && ready == 200;
    return says(agent.ask("GET", "/api/v1/status/destinations").body, "archive");
  }));
  CHECK(always_ready);
  CHECK(says(agent.ask("GET", "/metrics").body, "\ntideover_config_last_reload_successful 1\n"));
  CHECK(agent.logged("restarting in place with the new configuration") == 1);
  CHECK(agent.logged("tideover is ready") == 2);
  CHECK(agent.logged("\"stopping\"") == 0);
  CHECK(kept.write(samples(1)) == 204);  // over the connection that the former image had accepted
  CHECK(soon(
      [&] { return says(agent.ask("GET", "/api/v1/status/destinations").body, R"("backlog_samples":7)"); }));
  CHECK(::kill(before, 0) == 0);
  CHECK(agent.stop() == 0);
}

TEST_CASE("of reloads that follow one another at once the last file is in force") {
  AgentProcess agent;
  agent.start_and_wait();
  for (int round = 0; round < 8; ++round) {
    agent.configure("{name: passing, url: 'http://127.0.0.1:1/'}");
    ::kill(agent.pid, SIGHUP);
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * round));
    const std::string name = "round-" + std::to_string(round);
    agent.configure("{name: " + name + ", url: 'http://127.0.0.1:1/'}");
    ::kill(agent.pid, SIGHUP);
    CAPTURE(round);
    CHECK(soon([&] {
      return says(agent.ask("GET", "/api/v1/status/destinations").body, "\"" + name + "\",\"url\"");
    }));
  }
  CHECK(agent.logged("cannot be used") == 0);
  CHECK(agent.stop() == 0);
}

TEST_CASE("a stop that comes during a reload is a stop") {
  for (int ms = 0; ms < 40; ms += 4) {
    AgentProcess agent;
    agent.start_and_wait();
    ::kill(agent.pid, SIGHUP);
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    CAPTURE(ms);
    CHECK(agent.stop() == 0);
  }
}

TEST_CASE("an operator gives up a destination that left the configuration, and no other") {
  AgentProcess agent;
  agent.configure(kTwo);
  agent.start_and_wait();
  REQUIRE(agent.write(samples(3)) == 204);
  const std::string drop = "/api/v1/buffer/drop-cursor?destination=";
  CHECK(agent.ask("POST", drop + "archive").status == 400);
  CHECK(agent.ask("POST", drop + "nobody").status == 404);
  CHECK(agent.ask("POST", drop).status == 400);
  CHECK(agent.ask("POST", "/api/v1/buffer/drop-cursor").status == 400);
  CHECK(agent.ask("POST", "/api/v1/buffer/replay-parked").status == 200);
  agent.configure();
  CHECK(agent.ask("POST", "/-/reload").status == 200);
  REQUIRE(soon(
      [&] { return says(agent.ask("GET", "/api/v1/status/destinations").body, R"("state":"detached")"); }));
  CHECK(agent.ask("POST", drop + "archive").status == 200);
  CHECK(agent.ask("POST", drop + "archive").status == 404);
  CHECK_FALSE(says(agent.ask("GET", "/api/v1/status/destinations").body, "archive"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a backlog in the directory of earlier versions is found, and is nobody else's") {
  namespace fs = std::filesystem;
  AgentProcess agent;
  agent.start_and_wait();
  REQUIRE(agent.write(samples(3)) == 204);
  CHECK(agent.stop() == 0);
  const std::string store = agent.data_dir + "/store", earlier = agent.data_dir + "/metrics";
  fs::rename(store, earlier);
  agent.start_and_wait();
  CHECK(says(agent.ask("GET", "/api/v1/status/destinations").body, R"("backlog_samples":3)"));
  CHECK(agent.logged("store of an earlier version was taken over") == 1);
  CHECK_FALSE(fs::exists(earlier));
  CHECK(agent.stop() == 0);

  fs::create_directory(earlier);  // both: nobody knows which is meant
  agent.start();
  CHECK(agent.ended() == 1);
  CHECK(agent.logged("there are two stores") == 1);
  CHECK(fs::exists(earlier));
  CHECK(fs::exists(store + "/CURRENT"));
}

TEST_CASE("an agent that cannot start says why, and its exit status says whose fault it is") {
  AgentProcess agent;
  SECTION("the file is faulty") {
    std::ofstream(agent.config_path) << "cluster: a\nunknown: 1\n";
    agent.start();
    CHECK(agent.ended() == 2);
    CHECK(agent.logged("unknown key") == 1);
  }
  SECTION("another agent works on the directory") {
    agent.start_and_wait();
    AgentProcess second;
    std::ifstream file(agent.config_path);
    std::string text(std::istreambuf_iterator<char>(file), {});
    const auto replace = [&text](std::uint16_t from, std::uint16_t to) {
      text.replace(text.find(std::to_string(from)), std::to_string(from).size(), std::to_string(to));
    };
    replace(agent.admin_port, second.admin_port);
    replace(agent.intake_port, second.intake_port);
    std::ofstream(second.config_path) << text;
    second.start();
    CHECK(second.ended() == 1);
    CHECK(second.logged("is in use by process") == 1);
    CHECK(agent.ask("GET", "/-/ready").status == 200);
    CHECK(agent.stop() == 0);
  }
  SECTION("an address is taken") {
    AgentProcess first;
    first.start_and_wait();
    const bool admin = GENERATE(true, false);
    (admin ? agent.admin_port : agent.intake_port) = admin ? first.admin_port : first.intake_port;
    agent.configure();
    agent.start();
    CHECK(agent.ended() == 1);
    CHECK(agent.logged("tideover does not start") == 1);
    CHECK(agent.logged("cannot listen on 127.0.0.1:" +
                       std::to_string(admin ? first.admin_port : first.intake_port)) == 1);
    CHECK(first.stop() == 0);
  }
}

}  // namespace
}  // namespace tideover
