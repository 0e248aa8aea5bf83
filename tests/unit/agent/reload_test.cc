// What a reload tries before the running agent gives anything up.
#include "agent/reload.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "agent/data_directory.h"
#include "agent/server/listener.h"
#include "tests/support/temp_directory.h"
#include "wal/base/system_clock.h"
#include "wal/store_directory.h"

namespace tideover {
namespace {

struct Running {
  boost::asio::io_context io{1};
  SystemClock clock{io};
  TempDirectory folder;
  server::Listener admin = open("127.0.0.1:0");
  server::Listener taken = open("127.0.0.1:0");  // by somebody else
  RunOptions options{folder / "tideover.yaml", {}};
  Holding holding{folder / "data", {{admin.address, admin.acceptor.native_handle()}}, true};

  server::Listener open(const std::string& address) {
    auto opened = server::open_listener(io, address);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }

  std::string free_address() { return open("127.0.0.1:0").address; }

  void write(const std::string& admin_address, const std::string& intake_address, const std::string& data) {
    std::filesystem::create_directories(data);
    std::filesystem::permissions(data, std::filesystem::perms::owner_all);
    std::ofstream(options.config_path) << fmt::format(
        "cluster: a\ndata_dir: {}\nadmin: {{listen: '{}'}}\n"
        "metrics: {{listen: '{}', destinations: [{{name: m, url: 'http://127.0.0.1:9/'}}]}}\n",
        data, admin_address, intake_address);
  }

  Result<Reload> reload(bool leave_backlog = false) {
    return prepare_reload(io, clock, options, signal_kinds(), holding, leave_backlog);
  }
};

TEST_CASE("a reload to a directory with the store of an earlier version leaves it as it is") {
  Running agent;
  const std::string other = agent.folder / "other";
  for (const std::string& directory : {other, other + "/metrics"})
    REQUIRE(wal::prepare_directory(directory).has_value());
  agent.write(agent.admin.address, agent.free_address(), other);
  REQUIRE(agent.reload().has_value());
  CHECK_FALSE(std::filesystem::exists(other + "/store"));
  wal::DirectoryLock older;
  REQUIRE(older.take(other + "/metrics").has_value());
  const auto refused = agent.reload();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::store_busy);
}

TEST_CASE("a reload leaves a listening socket for every address that is new, and the text that was judged") {
  Running agent;
  const std::string intake = agent.free_address();
  agent.write(agent.admin.address, intake, agent.holding.data_dir);
  auto reload = agent.reload();
  REQUIRE(reload.has_value());
  CHECK(reload->wants(agent.admin.address));
  CHECK(reload->wants(intake));
  CHECK_FALSE(reload->wants(agent.taken.address));
  CHECK(reload->bequest.take(agent.admin.address).listener == -1);  // handed over by its server
  server::Sockets bound = reload->bequest.take(intake);
  CHECK(server::adopt_listener(agent.io, intake, bound.listener).has_value());
  std::ofstream(agent.options.config_path) << "cluster: [\n";
  CHECK(reload->bequest.config.starts_with("cluster: a\n"));
  close_inheritance(reload->bequest);
}

TEST_CASE("a reload that is refused leaves nothing behind") {
  Running agent;
  const std::string new_admin = agent.free_address();
  std::string why;
  SECTION("an address is taken") {
    agent.write(new_admin, agent.taken.address, agent.holding.data_dir);
    why = agent.taken.address;
  }
  SECTION("another agent is at work in the new directory") {
    const std::string data = agent.folder / "other";
    agent.write(new_admin, agent.free_address(), data);
    REQUIRE(wal::prepare_directory(store_directory(data)).has_value());
    why = "in use";
  }
  SECTION("the file is faulty") {
    std::ofstream(agent.options.config_path) << "cluster: [\n";
    why = "tideover.yaml:";
  }
  wal::DirectoryLock others;
  if (std::filesystem::exists(store_directory(agent.folder / "other")))
    REQUIRE(others.take(store_directory(agent.folder / "other")).has_value());
  const Result<Reload> refused = agent.reload();
  REQUIRE(refused.has_error());
  CHECK(refused.error().detail.find(why) != std::string::npos);
  CHECK(server::open_listener(agent.io, new_admin).has_value());
}

TEST_CASE(
    "a reload that would leave a backlog behind is refused with the count, unless an operator says so") {
  Running agent;
  const std::string intake = agent.free_address();
  agent.holding.backlog = {{"metrics", 1'234}, {"counts", 0}};
  std::vector<std::string> says;
  SECTION("in another directory") {
    agent.write(agent.admin.address, intake, agent.folder / "other");
    says = {"1234 samples of metrics", agent.holding.data_dir, agent.folder / "other", "--leave-backlog"};
  }
  SECTION("of a signal that is gone") {
    agent.holding.backlog = {{"counts", 77}, {"metrics", 0}};
    agent.write(agent.admin.address, intake, agent.holding.data_dir);
    says = {"the section counts is gone", "77 of its samples", "--leave-backlog"};
  }
  SECTION("nobody knows how large") {
    agent.holding.opened = false;
    agent.holding.backlog.clear();
    agent.write(agent.admin.address, intake, agent.folder / "other");
    says = {"nobody knows what the store", agent.holding.data_dir, "--leave-backlog"};
  }
  const Result<Reload> refused = agent.reload();
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == Errc::bad_input);
  for (const std::string& words : says) CHECK(refused.error().detail.find(words) != std::string::npos);
  CHECK(server::open_listener(agent.io, intake).has_value());  // nothing was bound
  auto reload = agent.reload(true);
  REQUIRE(reload.has_value());
  close_inheritance(reload->bequest);
}

TEST_CASE("a reload that leaves nothing behind is not asked twice") {
  Running agent;
  agent.holding.backlog = {{"metrics", 0}, {"counts", 0}};
  agent.write(agent.admin.address, agent.free_address(), agent.folder / "other");
  auto moved = agent.reload();
  REQUIRE(moved.has_value());
  close_inheritance(moved->bequest);
  agent.holding.backlog = {{"metrics", 5}};
  agent.holding.opened = false;  // and the same directory
  agent.write(agent.admin.address, agent.free_address(), agent.holding.data_dir);
  auto stays = agent.reload();
  REQUIRE(stays.has_value());
  close_inheritance(stays->bequest);
}

TEST_CASE("a reload reads the file as it was read at the start: with variables replaced, or not") {
  Running agent;
  agent.write(agent.admin.address, agent.free_address(), agent.holding.data_dir);
  std::ofstream(agent.options.config_path, std::ios::app) << "node: '${TIDEOVER_TEST_NODE}'\n";
  ::setenv("TIDEOVER_TEST_NODE", "node-7", 1);
  CHECK(agent.reload().has_error());
  agent.options.expand_env = true;
  auto reload = agent.reload();
  REQUIRE(reload.has_value());
  close_inheritance(reload->bequest);
}

}  // namespace
}  // namespace tideover
