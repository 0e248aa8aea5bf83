// The spool of a node: every line once and in order, whatever happens to files, queue and agent.
#include "tests/unit/agent/tail/spool_life.h"

namespace tideover::tail {
namespace {

// Knows how much was written beside records at once, and how many files were open meanwhile.
class Weighing final : public wal::Store {
 public:
  explicit Weighing(Node& node) : node_(node), disk_(node.disk) {}
  Result<wal::StoreImage> open() override { return disk_.open(); }
  Result<> commit(const wal::StoreBatch& batch) override {
    std::size_t bytes = 0;
    for (const auto& [key, value] : batch.meta) bytes += value.size();
    heaviest = std::max(heaviest, bytes);
    most_open = std::max(most_open, node_.files.open_files());
    return disk_.commit(batch);
  }
  Result<wal::ReadRange> read(const wal::ReadRequest& request) override { return disk_.read(request); }
  void release(LaneId lane, const wal::Released& released) override { disk_.release(lane, released); }
  wal::StoreUsage usage() const override { return disk_.usage(); }

  std::size_t heaviest = 0;
  std::size_t most_open = 0;

 private:
  Node& node_;
  wal::MemStore& disk_;
};

std::vector<relabel::Rule> dropping(std::string label, std::string value) {
  relabel::RuleText text;
  text.source_labels = {std::move(label)};
  text.regex = std::move(value);
  text.action = relabel::Action::drop;
  std::vector<relabel::Rule> rules;
  rules.push_back(relabel::Rule::compile(std::move(text)).value());
  return rules;
}

TEST_CASE("lines of all containers are spooled once and in order, stdout and stderr apart") {
  Node node;
  SpoolLife life(node);
  for (int round = 0; round < 5; ++round) {
    for (const char* path : {"shop_web-0_u1/app", "shop_web-0_u1/proxy", "db_pg-0_u2/pg"}) {
      node.write(path, 3);
      node.write(path, 2, 10, Output::error);
      node.write(path, 1);
    }
    life.run_for(1s);
  }
  life.drain();
  check_same(life.spooled(), node.written);
  CHECK(node.written.size() == 6);
  CHECK(life.records() <= 7);  // a sweep makes one, of all containers
  CHECK(node.positions().size() == 3);
}

TEST_CASE("an empty line is kept, and a line that was cut says how much is missing") {
  Node node;
  SpoolOptions options;
  options.sweep.reader.line_bytes_max = 100;
  SpoolLife life(node, options);
  node.write_part("a_b_c/d", std::string(64, 'p'));
  node.write("a_b_c/d", 1, 100);
  node.container("a_b_c/d").write("2026-11-28T10:00:00Z stdout F \n");
  life.drain();
  const auto spooled = life.spooled();
  REQUIRE(spooled.size() == 1);
  const Lines& lines = spooled.begin()->second;
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].size() == 100);
  CHECK(lines[1].empty());
  const std::string whole = std::string(64, 'p') + node.written.begin()->second.front();
  CHECK(life.metadata().begin()->second == "tideover_cut_bytes=" + std::to_string(whole.size() - 100));
  CHECK(life.metadata().size() == 1);
  const SpoolStatus status = life.spool->describe(10);
  CHECK(status.total.cut == 1);
  CHECK(status.total.lines == 2);
}

TEST_CASE("rotated and compressed files are read while the agent runs and after it was away") {
  Node node;
  for (int part = 0; part < 2; ++part) {
    SpoolLife life(node);
    for (int i = 0; i < 4; ++i) {
      node.write("a_b_c/d", 50, 100);
      life.run_for(i % 2 == 0 ? 1s : 3s);
      node.rotate("a_b_c/d");
    }
    life.lose_power();
    node.write("a_b_c/d", 20);
    node.rotate("a_b_c/d");
    node.write("a_b_c/d", 20);
    node.rotate("a_b_c/d");
    node.write("a_b_c/d", 5);
    node.pass(1min);
  }
  SpoolLife life(node);
  life.drain();
  check_same(life.spooled(), node.written);
  CHECK(life.spool->describe(1).total.missed_bytes == 0);
}

TEST_CASE("what is open of a deleted pod is read to its end, then its position is removed") {
  Node node;
  SpoolLife life(node);
  node.write("keeps_a_u1/c", 1);
  node.write("goes_b_u2/c", 5);
  life.run_for(2s);
  REQUIRE(node.position_of("goes_b_u2/c"));
  const bool last_words = GENERATE(true, false);
  if (last_words) node.write("goes_b_u2/c", 5);
  node.remove_pod("goes_b_u2");
  life.drain();
  check_same(life.spooled(), node.written);
  CHECK_FALSE(node.position_of("goes_b_u2/c"));
  CHECK(node.position_of("keeps_a_u1/c"));
  const SpoolStatus status = life.spool->describe(10);
  CHECK(status.total.chains == 1);
  CHECK(status.gone.spooled == (last_words ? 10 : 5));
  CHECK(status.total.missed_bytes == 0);
}

TEST_CASE("a pod that went while no agent was there is counted as missed, and its position goes") {
  Node node;
  {
    SpoolLife life(node);
    node.write("keeps_a_u1/c", 1);
    node.write("goes_b_u2/c", 5);
    node.write_part("goes_b_u2/c", "its last line has no end");
    life.run_for(3s);
  }
  REQUIRE(node.position_of("goes_b_u2/c"));
  node.remove_pod("goes_b_u2");
  SpoolLife life(node);
  life.drain();
  node.written[node.labels.of(*parse_container_path("goes_b_u2/c"), Output::standard).labels].push_back(
      "its last line has no end");
  check_same(life.spooled(), node.written);
  CHECK_FALSE(node.position_of("goes_b_u2/c"));
  CHECK(life.spool->describe(10).gone.perhaps_more == 1);
}

TEST_CASE("a directory of pods that is missing or empty takes nothing for gone") {
  Node node;
  {
    SpoolLife life(node);
    node.write("a_b_c/d", 5);
    life.drain();
  }
  const bool empty = GENERATE(true, false);
  node.files.rename(kPods, "/var/log/elsewhere");
  if (empty) node.files.make_directories(kPods);
  {
    SpoolLife life(node);
    life.drain();
    CHECK(life.notes.empty() == empty);
  }
  CHECK(node.position_of("a_b_c/d"));
  if (empty) node.files.remove(kPods);
  node.files.rename("/var/log/elsewhere", kPods);
  SpoolLife life(node);
  node.write("a_b_c/d", 5);
  life.drain();
  check_same(life.spooled(), node.written);
}

TEST_CASE("pods come and go, each line is spooled once, and nothing of them stays behind") {
  Node node;
  SpoolLife life(node);
  node.write("stays_a_u/c", 1);
  for (int i = 0; i < 30; ++i) {
    const std::string pod = fmt::format("job_run-{}_uid{}", i, i);
    node.write(pod + "/init", 2);
    node.write(pod + "/main", 3);
    life.run_for(1500ms);
    node.write(pod + "/main", 1);
    node.remove_pod(pod);
  }
  life.drain();
  check_same(life.spooled(), node.written);
  CHECK(life.queue.checkpoints(kPositionPrefix).size() == 1);
  const SpoolStatus status = life.spool->describe(10);
  CHECK(status.total.chains == 1);
  CHECK(status.gone.spooled == 180);
  CHECK(node.files.open_files() == 1);
}

TEST_CASE("what rules drop is counted, not spooled, and its position is written within a minute") {
  Node node;
  node.write("quiet_a_u1/c", 3);
  SpoolLife life(node, {}, dropping("__meta_kubernetes_namespace", "quiet"));
  life.run_for(30s);
  CHECK(life.spooled().empty());
  CHECK_FALSE(node.position_of("quiet_a_u1/c"));
  CHECK(life.spool->describe(1).total.dropped == 3);
  SECTION("by itself") {
    life.run_for(32s);
    CHECK(node.position_of("quiet_a_u1/c"));
    const std::uint64_t commits = node.disk.commits();
    life.run_for(5min);
    CHECK(node.disk.commits() == commits);
  }
  SECTION("with the lines of another one") {
    node.write("loud_a_u2/c", 1);
    life.run_for(2s);
    CHECK(node.position_of("quiet_a_u1/c"));
  }
  REQUIRE(node.position_of("quiet_a_u1/c"));
  node.write("quiet_a_u1/c", 1);
  life.run_for(2s);
  node.remove_pod("quiet_a_u1");
  life.run_for(2s);
  CHECK_FALSE(node.position_of("quiet_a_u1/c"));
  life.run_for(2min);
  CHECK_FALSE(node.position_of("quiet_a_u1/c"));
}

TEST_CASE("a position that waits is never written behind a newer one of its container") {
  Node node;
  {
    SpoolLife life(node, {}, dropping("stream", "stderr"));
    node.write("a_b_c/d", 5);
    life.run_for(2s);
    node.write("a_b_c/d", 5, 0, Output::error);
    life.run_for(2s);
    node.write("a_b_c/d", 5);
    life.run_for(2s);
    life.lose_power();
  }
  SpoolLife life(node, {}, dropping("stream", "stderr"));
  life.drain();
  node.written.erase(node.labels.of(*parse_container_path("a_b_c/d"), Output::error).labels);
  check_same(life.spooled(), node.written);
}

TEST_CASE("a container whose files have all gone is read again when it writes") {
  Node node;
  SpoolLife life(node);
  node.write("a_b_c/d", 5);
  life.run_for(5s);
  const bool at_once = GENERATE(true, false);
  node.files.remove(kPods + "/a_b_c/d/0.log");
  if (!at_once) life.run_for(5s);
  node.container("a_b_c/d").restart();
  node.write("a_b_c/d", 5);
  life.run_for(5s);
  node.write("a_b_c/d", 5);
  life.run_for(5s);
  check_same(life.spooled(), node.written);
  CHECK(node.position_of("a_b_c/d"));
}

TEST_CASE("one container that floods delays no other by more than a sweep") {
  Node node;
  node.write("noisy_a_u/c", 60'000, 1000);
  for (int i = 0; i < 199; ++i) node.container(fmt::format("calm_p{}_u/c", i));
  SpoolLife life(node);
  life.look_takes = 100ms;
  life.run_for(2s);
  REQUIRE(life.spool->describe(1).total.lag_bytes > (1 << 20));
  for (int i = 0; i < 199; ++i) node.write(fmt::format("calm_p{}_u/c", i), 1);
  // A poll, the sweep that was under way, and the one that finds them.
  life.run_for(1s + 2 * 110ms);
  auto spooled = life.spooled();
  CHECK(life.spool->describe(1).total.lag_bytes > (1 << 20));
  std::size_t calm = 0;
  for (const auto& [labels, lines] : spooled) calm += labels.find("noisy") == labels.npos ? lines.size() : 0;
  CHECK(calm == 199);
  life.run_for(20s);
  check_same(life.spooled(), node.written);
}

TEST_CASE("many containers that flood take turns") {
  Node node;
  for (int i = 0; i < 20; ++i) node.write(fmt::format("noisy_p{}_u/c", i), 1'000, 1000);
  SpoolLife life(node);
  life.look_takes = 100ms;
  life.run_for(550ms);  // five sweeps, of four or five each
  CHECK(life.spooled().size() >= 18);
  life.drain();
  check_same(life.spooled(), node.written);
  CHECK(life.largest_record() < (1 << 20) + (300 << 10));
}

TEST_CASE("what rules drop does not make a sweep endless") {
  Node node;
  for (int i = 0; i < 20; ++i) node.write(fmt::format("quiet_p{}_u/c", i), 1'000, 1000);
  SpoolOptions options;
  options.sweep.read_bytes = 1 << 20;
  SpoolLife life(node, options, dropping("namespace", "quiet"));
  life.look_takes = 100ms;
  life.run_for(1250ms);  // ten sweeps, as they are known while one is under way
  const std::uint64_t bytes = life.spool->describe(0).total.bytes;
  CHECK(bytes > (8 << 20));
  CHECK(bytes < (14 << 20));
  life.run_for(10s);
  CHECK(life.spool->describe(0).total.dropped == 20'000);
}

TEST_CASE("positions that hold long parts of lines do not make one batch endless") {
  Node node;
  Weighing disk(node);
  for (int i = 0; i < 20; ++i) {
    const std::string path = fmt::format("ns_p{}_u/c", i);
    node.container(path);
    node.write_part(path, std::string(200'000, 'x'));
  }
  SpoolLife life(node, disk);
  life.run_for(3s);
  CHECK(node.positions().size() == 20);
  CHECK(disk.heaviest > (1 << 20));
  CHECK(disk.heaviest < (1 << 20) + 250'000);
}

TEST_CASE("no more files are open than the bound says, and more containers than that are read") {
  Node node;
  SpoolOptions options;
  options.sweep.open_files_max = 10;
  SpoolLife life(node, options);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) node.write(fmt::format("ns_p{}_u/c", i), 2);
    life.run_for(1s);
    CHECK(node.files.open_files() <= 10);
    life.run_for(5s);
    CHECK(node.files.open_files() <= 10);
  }
  check_same(life.spooled(), node.written);
  CHECK(life.spool->describe(0).total.open_files <= 10);
}

TEST_CASE("files that one batch has read to their end are bounded, too: they stay open until it is durable") {
  Node node;
  Weighing disk(node);
  for (int i = 0; i < 30; ++i)
    for (int restart = 0; restart < 4; ++restart) {
      const std::string path = fmt::format("ns_p{}_u/c", i);
      if (restart != 0) node.container(path).restart();
      node.write(path, 2);
    }
  node.pass(1min);
  SpoolOptions options;
  options.sweep.open_files_max = 10;
  SpoolLife life(node, disk, options);
  life.run_for(5s);
  CHECK(disk.most_open > 15);
  CHECK(disk.most_open <= 24);  // both bounds, and one container more
  check_same(life.spooled(), node.written);
}

TEST_CASE("what deleted files hold on the disk is bounded, and what is given up is counted as missed") {
  Node node;
  SpoolOptions options;
  options.sweep.pinned_bytes_max = 300'000;
  SpoolLife life(node, options);
  for (const char* path : {"keeps_a_u/c", "big_b_u/c", "small_c_u/c"}) node.write(path, 1);
  life.run_for(3s);
  for (int i = 0; i < 3; ++i) node.disk.fail_commits_until_healed(Errc::disk_full);
  node.write("big_b_u/c", 500, 1000);
  node.write("small_c_u/c", 100, 1000);
  life.run_for(2s);
  node.remove_pod("big_b_u");
  node.remove_pod("small_c_u");
  life.run_for(10s);
  node.disk.heal();
  life.run_for(30s);
  const SpoolStatus status = life.spool->describe(10);
  CHECK(status.gone.missed_bytes > 500'000);
  CHECK(status.gone.missed_bytes < 600'000);
  CHECK(node.files.open_files() == 1);
  auto written = node.written;
  written[node.labels.of(*parse_container_path("big_b_u/c"), Output::standard).labels].resize(1);
  check_same(life.spooled(), written);
}

TEST_CASE("more containers than the bound are left out, said once, and read when others have gone") {
  Node node;
  SpoolOptions options;
  options.sweep.discovery.containers_max = 3;
  SpoolLife life(node, options);
  for (int i = 0; i < 5; ++i) node.write(fmt::format("ns_p{}_u/c", i), 1);
  life.run_for(5s);
  CHECK(life.spooled().size() == 3);
  CHECK(life.spool->describe(1).left_out == 2);
  CHECK(life.notes.size() == 1);
  node.remove_pod("ns_p0_u");
  node.remove_pod("ns_p1_u");
  life.run_for(5s);
  CHECK(life.spooled().size() == 5);
  CHECK(life.spool->describe(1).left_out == 0);
  check_same(life.spooled(), node.written);
}

TEST_CASE(
    "containers that went while no agent was there do not add to those that are there beyond the bound") {
  Node node;
  SpoolOptions options;
  options.sweep.discovery.containers_max = 3;
  {
    SpoolLife life(node, options);
    for (int i = 0; i < 3; ++i) node.write(fmt::format("ns_old{}_u/c", i), 1);
    life.run_for(3s);
  }
  for (int i = 0; i < 3; ++i) node.remove_pod(fmt::format("ns_old{}_u", i));
  for (int i = 0; i < 3; ++i) node.write(fmt::format("ns_new{}_u/c", i), 1);
  SpoolLife life(node, options);
  life.run_for(1500us);
  CHECK(life.spool->describe(9).total.chains <= 3);
  life.run_for(3s);
  CHECK(life.spool->describe(9).total.chains == 3);
  check_same(life.spooled(), node.written);
}

TEST_CASE("the totals are the sum of the largest containers, the rest and those that are gone") {
  Node node;
  SpoolLife life(node);
  for (int i = 0; i < 10; ++i) node.write(fmt::format("ns_p{}_u/c", i), static_cast<std::size_t>(i + 1));
  life.run_for(3s);
  node.remove_pod("ns_p7_u");
  node.container("ns_p1_u/c").write("no line of a runtime\n");
  life.run_for(3s);
  const SpoolStatus status = life.spool->describe(4);
  REQUIRE(status.largest.size() == 4);
  CHECK(status.largest[0].path == "ns_p9_u/c");
  CHECK(status.largest[0].tally.lines == 10);
  CHECK(status.largest[2].path == "ns_p6_u/c");
  Tally sum = status.rest;
  sum += status.gone;
  for (const ContainerTally& one : status.largest) sum += one.tally;
  CHECK(sum == status.total);
  CHECK(status.total.lines == 56);
  CHECK(status.total.spooled == 56);
  CHECK(status.total.foreign == 1);
  CHECK(status.gone.lines == 8);
  CHECK(status.total.chains == 9);
  CHECK(status.total.lag_bytes == 0);
}

}  // namespace
}  // namespace tideover::tail
