// Agents that die and disks that fail under a spool: nothing is lost, nothing is there twice.
#include "tests/unit/agent/tail/spool_life.h"
#include "wal/base/rng.h"

namespace tideover::tail {
namespace {

// Loses its power with the commit of this number: before it takes effect, or behind it, unanswered.
class Dying final : public wal::Store {
 public:
  Dying(wal::MemStore& disk, std::uint64_t last, bool applied)
      : disk_(disk), last_(last), applied_(applied) {}

  Result<wal::StoreImage> open() override {
    if (dead_) return fail(Errc::unavailable, "no power");
    return disk_.open();
  }
  Result<> commit(const wal::StoreBatch& batch) override {
    if (dead_) return fail(Errc::unavailable, "no power");
    if (disk_.commits() + 1 < last_) return disk_.commit(batch);
    dead_ = true;
    if (applied_) REQUIRE(disk_.commit(batch).has_value());
    disk_.crash();
    return fail(Errc::io_error, "no power");
  }
  Result<wal::ReadRange> read(const wal::ReadRequest& request) override { return disk_.read(request); }
  void release(LaneId lane, const wal::Released& released) override { disk_.release(lane, released); }
  wal::StoreUsage usage() const override { return disk_.usage(); }

  bool dead() const { return dead_; }

 private:
  wal::MemStore& disk_;
  const std::uint64_t last_;
  const bool applied_;
  bool dead_ = false;
};

// What an agent may see in its life: parts of lines, both outputs, rotations, a restart, a pod that goes.
void live_through(Node& node, SpoolLife& life) {
  node.write("a_b_c/d", 3);
  node.write("a_b_c/d", 2, 0, Output::error);
  node.write("e_f_g/h", 1);
  life.run_for(1s);
  node.write_part("a_b_c/d", "begun ");
  life.run_for(1s);
  node.rotate("a_b_c/d");
  node.write("a_b_c/d", 0);
  life.run_for(3s);
  node.container("a_b_c/d").write("2026-11-28T10:00:00Z stdout F and ended\n");
  node.written[node.labels.of(*parse_container_path("a_b_c/d"), Output::standard).labels].push_back(
      "begun and ended");
  life.run_for(1s);
  node.container("a_b_c/d").restart();
  node.write("a_b_c/d", 2);
  node.write("e_f_g/h", 1);
  node.write("i_j_k/l", 2);
  life.run_for(3s);
  node.write("a_b_c/d", 1);
  life.run_for(3s);
  node.remove_pod("i_j_k");
  life.run_for(3s);
}

TEST_CASE("an agent that dies with any of its commits neither loses nor repeats a line") {
  const bool applied = GENERATE(false, true);
  std::uint64_t deaths = 0;
  for (std::uint64_t last = 2; last < 40; ++last) {
    Node node;
    Dying dying(node.disk, last, applied);
    INFO("commit " << last << (applied ? ", applied" : ", not applied"));
    {
      SpoolLife life(node, dying);
      live_through(node, life);
    }
    if (!dying.dead()) break;
    ++deaths;
    SpoolLife life(node);
    life.drain();
    // The pod that went may have gone unread: the agent was dead.
    auto spooled = life.spooled();
    const std::string gone = node.labels.of(*parse_container_path("i_j_k/l"), Output::standard).labels;
    if (!spooled.contains(gone)) node.written.erase(gone);
    check_same(spooled, node.written);
    CHECK_FALSE(node.position_of("i_j_k/l"));
  }
  CHECK(deaths >= 8);
}

TEST_CASE("while the queue takes nothing the lines wait in their files, and come once when it does") {
  Node node;
  SpoolLife life(node);
  node.write("a_b_c/d", 10);
  life.run_for(2s);
  life.queue.open_lane("logs", {1, true});  // a budget that is used up
  for (int i = 0; i < 3; ++i) {
    node.write("a_b_c/d", 10);
    node.rotate("a_b_c/d");
    life.run_for(20s);
  }
  CHECK(life.spool->refused());
  CHECK(life.looks() < 60);  // two for each attempt, ever less often
  CHECK(life.notes.size() == 1);
  CHECK(life.spool->describe(1).total.spooled == 10);
  life.queue.open_lane("logs", {0, true});
  node.write("a_b_c/d", 10);
  life.run_for(20s);
  CHECK_FALSE(life.spool->refused());
  check_same(life.spooled(), node.written);
  CHECK(life.spool->describe(1).total.spooled == 50);
  CHECK(life.spool->describe(1).total.bytes ==
        life.spool->describe(1).gone.bytes + life.spool->describe(1).largest[0].tally.bytes);
}

TEST_CASE("a batch whose commit failed is spooled once, whether it had reached the disk or not") {
  const auto outcome = GENERATE(wal::MemStore::Outcome::lost, wal::MemStore::Outcome::applied);
  const bool ended = GENERATE(false, true);
  Node node;
  SpoolLife life(node);
  node.write("keeps_a_u/c", 1);
  node.write("a_b_c/d", 10);
  life.run_for(2s);
  node.disk.fail_next_commit(Errc::io_error, outcome);
  node.write("a_b_c/d", 10);
  if (ended) node.remove_pod("a_b_c");
  life.run_for(20s);
  CHECK_FALSE(life.spool->refused());
  check_same(life.spooled(), node.written);
  CHECK(node.position_of("a_b_c/d") == !ended);
  CHECK(life.spool->describe(1).total.spooled == 21);
  CHECK(life.notes.size() == 1);
}

TEST_CASE("a spool that is told to stop ends at once, whatever it waits for") {
  Node node;
  SpoolLife life(node);
  node.write("a_b_c/d", 10);
  life.run_for(1500ms);
  SECTION("for lines") {}
  SECTION("for room in the queue") {
    life.queue.open_lane("logs", {1, true});
    node.write("a_b_c/d", 10);
    life.run_for(1min);
  }
  SECTION("for the store") {
    node.disk.fail_commits_until_healed(Errc::io_error);
    node.disk.fail_opens_until_healed(Errc::io_error);
    node.write("a_b_c/d", 10);
    life.run_for(1min);
  }
  CHECK_FALSE(life.ended());
  life.spool->stop();
  life.run_for(20ms);
  CHECK(life.ended());
  node.disk.heal();
}

TEST_CASE("an agent that is stopped while its queue takes nothing ends, and the next one goes on") {
  Node node;
  {
    SpoolLife life(node);
    node.write("a_b_c/d", 10);
    life.run_for(2s);
    node.disk.fail_commits_until_healed(Errc::io_error);
    node.disk.fail_opens_until_healed(Errc::io_error);
    node.write("a_b_c/d", 10);
    life.run_for(10s);
    CHECK(life.notes.size() == 1);
  }
  node.disk.crash();
  node.disk.heal();
  SpoolLife life(node);
  life.drain();
  check_same(life.spooled(), node.written);
}

// All of it mixed. A pod is removed only when what it wrote is durable: what no agent could read is not owed.
TEST_CASE("any mixture of rotations, deaths, refusals and pods that come and go loses and repeats nothing") {
  const auto seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{51}));
  INFO("seed " << seed);
  Rng rng(seed);
  Node node;
  SpoolOptions options;
  options.sweep.open_files_max = 3;
  options.sweep.record_bytes = 8 << 10;
  options.sweep.slice_bytes = 2 << 10;
  options.sweep.buffer_bytes = 4 << 10;
  options.sweep.position_delay = 5s;
  auto life = std::make_unique<SpoolLife>(node, options);
  std::vector<std::string> paths;
  std::map<std::string, int> rotations;  // since all was read: kubelet keeps four files
  int pods = 0;
  const auto settle = [&] {
    node.disk.heal();
    if (!life) life = std::make_unique<SpoolLife>(node, options);
    life->queue.open_lane("logs", {0, true});
    life->run_for(30s);
    rotations.clear();
  };
  for (int action = 0; action < 120; ++action) {
    const std::string path = paths.empty() ? "" : paths[rng.below(paths.size())];
    switch (rng.below(12)) {
      case 0:
        paths.push_back(fmt::format("ns_p{}_u{}/c{}", pods, pods, rng.below(3)));
        pods += rng.chance(0.7) ? 1 : 0;
        std::ranges::sort(paths);
        paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
        break;
      case 1:
      case 2:
      case 3:
        if (!path.empty())
          node.write(path, rng.below(60), rng.below(200), rng.chance(0.3) ? Output::error : Output::standard);
        break;
      case 4:
      case 5:
        if (path.empty() || !node.has(path) || ++rotations[path] > 3) break;
        node.rotate(path);
        break;
      case 6:
        if (path.empty() || !node.has(path)) break;
        if (rng.chance(0.5)) settle();
        if (rotations[path] == 0) node.container(path).restart();
        break;
      case 7:
        if (!life) break;
        if (rng.chance(0.7)) life->lose_power();
        life.reset();
        break;
      case 8:
        if (!life) life = std::make_unique<SpoolLife>(node, options);
        break;
      case 9:
        if (life)
          node.disk.fail_next_commit(Errc::io_error, rng.chance(0.5) ? wal::MemStore::Outcome::lost
                                                                     : wal::MemStore::Outcome::applied);
        break;
      case 10:
        if (life) life->queue.open_lane("logs", {rng.chance(0.5) ? 1U : 0U, true});
        break;
      case 11:
        if (path.empty() || pods < 3) break;
        settle();
        node.remove_pod(path.substr(0, path.find('/')));
        std::erase_if(
            paths, [&](const std::string& p) { return p.starts_with(path.substr(0, path.find('/') + 1)); });
        break;
    }
    const Duration time = std::chrono::milliseconds(rng.below(3'000));
    if (life)
      life->run_for(time);
    else
      node.pass(time);
    CHECK(node.files.open_files() <= 12);
  }
  node.write("last_one_u/c", 1);
  settle();
  check_same(life->spooled(), node.written);
  const SpoolStatus status = life->spool->describe(2);
  Tally sum = status.rest;
  sum += status.gone;
  for (const ContainerTally& one : status.largest) sum += one.tally;
  CHECK(sum == status.total);
  CHECK(status.total.lines == status.total.spooled);
  CHECK(status.total.missed_bytes == 0);
  // Of those that are there, and of no other.
  for (const wal::Checkpoint& note : life->queue.checkpoints(kPositionPrefix))
    CHECK(node.has(note.key.substr(kPositionPrefix.size())));
}

}  // namespace
}  // namespace tideover::tail
