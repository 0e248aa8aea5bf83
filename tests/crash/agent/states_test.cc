// What an agent says in each state that an operator may find it in: the table of docs/STATUS.md, row by row,
// held against the shipped binary. What stands between backticks there is looked for literally.
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <sys/mount.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/loop_disk.h"
#include "tests/support/skip.h"
#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/agent_process.h"

namespace tideover {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Row {
  std::string state;
  Words ready, status, metrics, log;
};

Words words_of(const std::string& cell) {
  Words words;
  for (std::size_t from = cell.find('`'); from != cell.npos;) {
    const std::size_t to = cell.find('`', from + 1);
    REQUIRE(to != cell.npos);
    words.push_back(cell.substr(from + 1, to - from - 1));
    from = cell.find('`', to + 1);
  }
  return words;
}

std::vector<Row> rows_of_the_document() {
  std::ifstream file(fs::path(TIDEOVER_SOURCE_DIR) / "docs/STATUS.md");
  std::vector<Row> rows;
  bool here = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) here = line == "## What is said in which state";
    if (!here || !line.starts_with("| ") || line.starts_with("| State")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    REQUIRE(cells.size() == 5);
    const std::string& name = cells[0];
    rows.push_back({name.substr(1, name.size() - 2), words_of(cells[1]), words_of(cells[2]),
                    words_of(cells[3]), words_of(cells[4])});
  }
  return rows;
}

bool holds(const std::string& text, const Words& words) {
  return std::ranges::all_of(words, [&](const std::string& w) { return text.find(w) != text.npos; });
}

const std::string kSmall = test::noise(100);
const std::string kLarge = test::noise(900'000);

void fill(const AgentProcess& agent, const std::string& with = kLarge) {
  int answer = 204;
  for (int i = 0; i < 2'000 && answer == 204; ++i) answer = agent.write(with);
  REQUIRE(answer == 503);
}

// A disk below the process that can be told to fail.
struct Trouble {
  explicit Trouble(AgentProcess& agent) : sectors(agent.folder / "bad") {
    for (const char* folder : {"/disk", "/graves"}) fs::create_directory(agent.folder.path() + folder);
    agent.data_dir = agent.folder / "disk/data";
    agent.environment = {{"LD_PRELOAD", FORGETFUL_DISK},
                         {"TIDEOVER_DISK_ROOT", agent.folder / "disk"},
                         {"TIDEOVER_DISK_GRAVES", agent.folder / "graves"},
                         {"TIDEOVER_DISK_BAD", agent.folder / "bad"}};
    agent.configure();
  }
  disk::BadSectors sectors;
};

// On a file system that others fill beyond the floor. What they leave is room for all that may wait, in the
// log and in tables at once: otherwise it depends on how fast tables are written which is full first.
void use_of_others(AgentProcess& agent, wal::LoopDisk& disk) {
  disk.hog(disk.size_bytes() / 6);
  agent.data_dir = disk.mount() + "/data";
  agent.keep_free = "20%";
  agent.max_bytes = "200MiB";
  agent.configure();
}

struct Ramfs {
  explicit Ramfs(std::string at) : where(std::move(at)) {
    fs::create_directories(where);
    REQUIRE(::mount("ramfs", where.c_str(), "ramfs", 0, nullptr) == 0);
  }
  ~Ramfs() { CHECK(::umount(where.c_str()) == 0); }
  Ramfs(const Ramfs&) = delete;
  Ramfs& operator=(const Ramfs&) = delete;
  const std::string where;
};

void check(const AgentProcess& agent, const Row& row) {
  REQUIRE(row.ready.size() == 1);
  REQUIRE_FALSE(row.status.empty());
  REQUIRE_FALSE(row.metrics.empty());
  REQUIRE_FALSE(row.log.empty());
  // The log, rates and gauges are looked after every two seconds.
  const auto ready = [&] {
    const cli::AdminAnswer answer = agent.ask_tcp("GET", "/-/ready");
    return std::to_string(answer.status) + " " + answer.body;
  };
  const auto status = [&] {
    std::string all;
    for (const char* of : {"buffer", "destinations", "ledger"})
      all += agent.ask("GET", std::string("/api/v1/status/") + of).body;
    return all;
  };
  const auto metrics = [&] { return agent.ask_tcp("GET", "/metrics").body; };
  INFO(row.state);
  INFO(agent.log());
  {
    CAPTURE(ready());
    CHECK(soon([&] { return holds(ready(), row.ready); }));
  }
  {
    CAPTURE(status());
    CHECK(soon([&] { return holds(status(), row.status); }));
  }
  {
    CAPTURE(metrics());
    CHECK(soon([&] { return holds(metrics(), row.metrics); }));
  }
  CHECK(soon([&] { return holds(agent.log(), row.log); }));
}

// Each brings an agent into its state and has it looked at.
using Look = std::function<void(const AgentProcess&)>;
const std::map<std::string, std::function<void(const Look&)>>& states() {
  static const std::map<std::string, std::function<void(const Look&)>> all = {
      {"all is well",
       [](const Look& look) {
         AgentProcess agent;
         agent.start_and_wait();
         look(agent);
       }},
      {"mgmt is away",
       [](const Look& look) {
         AgentProcess agent;
         agent.start_and_wait();
         REQUIRE(agent.write(kSmall) == 204);
         look(agent);
       }},
      {"the budget is full",
       [](const Look& look) {
         AgentProcess agent;
         agent.start_and_wait();
         fill(agent);
         look(agent);
       }},
      {"below the free-space floor",
       [](const Look& look) {
         if (const auto reason = wal::LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
         wal::LoopDisk disk(640);
         AgentProcess agent;
         use_of_others(agent, disk);
         agent.start_and_wait();
         REQUIRE(agent.write(kSmall) == 204);
         look(agent);
         REQUIRE(agent.stop() == 0);
       }},
      {"below the floor, and as much waits as may",
       [](const Look& look) {
         if (const auto reason = wal::LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
         wal::LoopDisk disk(640);
         AgentProcess agent;
         use_of_others(agent, disk);
         agent.start_and_wait();
         fill(agent);
         look(agent);
         REQUIRE(agent.stop() == 0);
       }},
      {"the disk is full",
       [](const Look& look) {
         AgentProcess agent;
         const Trouble trouble(agent);
         agent.environment.emplace_back("TIDEOVER_DISK_TROUBLE", "full:500:1000000000");
         agent.max_bytes = "1GiB";
         agent.configure();
         agent.start_and_wait();
         fill(agent, kSmall);
         look(agent);
       }},
      {"the disk fails its writes",
       [](const Look& look) {
         AgentProcess agent;
         const Trouble trouble(agent);
         agent.environment.emplace_back("TIDEOVER_DISK_TROUBLE", "eio:500:1000000000");
         agent.start_and_wait();
         fill(agent, kSmall);
         look(agent);
       }},
      {"the disk cannot be read at the start",
       [](const Look& look) {
         AgentProcess agent;
         Trouble trouble(agent);
         agent.start_and_wait();
         REQUIRE(agent.write(kSmall) == 204);
         REQUIRE(agent.stop() == 0);
         for (const char* name : {"FORMAT", "CURRENT", "MANIFEST-*", "OPTIONS-*", "*.log", "*.sst"})
           trouble.sectors.add_named(name);
         agent.start();
         look(agent);
       }},
      {"places of the disk cannot be read",
       [](const Look& look) {
         AgentProcess agent;
         Trouble trouble(agent);
         agent.start_and_wait();
         for (int i = 0; i < 3; ++i) REQUIRE(agent.write(kLarge) == 204);
         REQUIRE(agent.stop(SIGKILL) == -SIGKILL);
         for (const auto& entry : fs::directory_iterator(agent.data_dir + "/store"))
           if (entry.path().extension() == ".log" && entry.file_size() > 1'000'000)
             trouble.sectors.add(entry.path(), disk::Extent::page(100));
         agent.start_and_wait();
         look(agent);
       }},
      {"a destination was removed with a backlog",
       [](const Look& look) {
         AgentProcess agent;
         agent.configure("{name: gone, url: 'http://127.0.0.1:1/'}");
         agent.start_and_wait();
         REQUIRE(agent.write(kSmall) == 204);
         REQUIRE(agent.stop() == 0);
         agent.configure();
         agent.start_and_wait();
         look(agent);
       }},
      {"the file system does not say its size",
       [](const Look& look) {
         if (::geteuid() != 0 && test::cannot_run("needs root to mount a ramfs")) return;
         TempDirectory root;
         const Ramfs ramfs(root / "ramfs");
         AgentProcess agent;
         agent.data_dir = ramfs.where + "/data";
         agent.configure();
         agent.start_and_wait();
         look(agent);
         REQUIRE(agent.stop() == 0);
       }},
  };
  return all;
}

TEST_CASE("every state of the table is one that is looked at here") {
  Words documented, known;
  for (const Row& row : rows_of_the_document()) documented.push_back(row.state);
  for (const auto& [state, enter] : states()) known.push_back(state);
  std::ranges::sort(documented);
  CHECK(documented == known);
}

TEST_CASE("in every state status, metrics, log and readiness say what the table says") {
  for (const Row& row : rows_of_the_document()) {
    const auto enter = states().find(row.state);
    if (enter == states().end()) continue;  // told above
    DYNAMIC_SECTION(row.state) {
      enter->second([&row](const AgentProcess& agent) { check(agent, row); });
    }
  }
}

}  // namespace
}  // namespace tideover
