// The spool on real files, real threads and a real clock: what the others show on a file system in memory.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>

#include "agent/tail/posix_files.h"
#include "agent/tail/spool.h"
#include "forwarders/loki/push_scan.h"
#include "forwarders/remote_write/snappy.h"
#include "tests/support/mem_store.h"
#include "tests/support/temp_directory.h"
#include "tests/support/threaded_life.h"

namespace tideover::tail {
namespace {

using namespace std::chrono_literals;
using wal::test_support::ThreadedLife;

std::vector<std::string> lines_of(const std::vector<std::string>& payloads) {
  std::vector<std::string> lines;
  for (const std::string& payload : payloads) {
    std::string push;
    REQUIRE(remote_write::decompress(payload, 32 << 20, push).has_value());
    loki::PushReader reader(push);
    loki::PushEntry entry;
    while (reader.next_stream())
      while (reader.next_entry(entry)) lines.emplace_back(entry.line);
  }
  return lines;
}

class Pods {
 public:
  explicit Pods(const TempDirectory& directory) : directory_(directory / "pods") {
    std::filesystem::create_directories(directory_);
  }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& container, int lines) {
    std::filesystem::create_directories(path(container));
    std::ofstream file(path(container) + "/0.log", std::ios::app | std::ios::binary);
    for (int i = 0; i < lines; ++i) {
      written.insert(fmt::format("{} {}", container, written.size()));
      file << fmt::format("2026-11-28T10:00:00.{:09}Z stdout F {} {}\n", written.size(), container,
                          written.size() - 1);
    }
  }
  void rotate(const std::string& container, int second) {
    std::filesystem::rename(path(container) + "/0.log",
                            path(container) + fmt::format("/0.log.20261128-1000{:02}", second));
  }
  const std::string& directory() const { return directory_; }

  std::set<std::string> written;

 private:
  const std::string directory_;
};

TEST_CASE("on real files each line is spooled once, over rotations, deletions and a restart") {
  TempDirectory directory;
  Pods pods(directory);
  std::filesystem::create_directory_symlink("/", pods.path("evil_pod_uid"));
  wal::MemStore disk;
  std::vector<std::string> payloads;
  for (int life_of_agent = 0; life_of_agent < 2; ++life_of_agent) {
    ThreadedLife life(disk);
    const LaneId lane = life.queue.open_lane("logs", {});
    const wal::CursorId cursor =
        life.queue.open_cursor(lane, "loki", wal::Keep::required, wal::StartAt::oldest);
    PosixFiles files;
    ThreadWorker worker("logs", life.io.get_executor());
    SpoolOptions options;
    options.lane = lane;
    options.sweep.discovery.pods_directory = pods.directory();
    options.sweep.poll = 5ms;
    options.sweep.reader.settle_ns = 1'000'000;
    Spool spool(life.queue, files, worker, life.clock, StreamLabels("n1", "app1", {}), options);
    bool ended = false;
    boost::asio::co_spawn(life.io, spool.run(), [&ended](std::exception_ptr) { ended = true; });
    const auto all_spooled = [&, before = pods.written.size()] {
      return before + spool.describe(0).total.spooled == pods.written.size();
    };
    for (int round = 0; round < 4; ++round) {
      for (const char* container : {"a_b_c/d", "a_b_c/e", "f_g_h/i"}) pods.write(container, 500);
      life.until(all_spooled);
      for (const char* container : {"a_b_c/d", "a_b_c/e"}) pods.rotate(container, 10 * life_of_agent + round);
      pods.write("a_b_c/d", 10);
    }
    pods.write("a_b_c/e", 1);
    if (life_of_agent == 1) {
      life.until(all_spooled);
      std::filesystem::remove_all(pods.path("f_g_h"));
      life.until([&] { return life.queue.checkpoints(kPositionPrefix).size() == 2; });
    }
    life.until(all_spooled);
    CHECK(spool.describe(0).total.missed_bytes == 0);
    spool.stop();
    life.until([&] { return ended; });
    for (std::string& payload : life.drain(lane, cursor)) payloads.push_back(std::move(payload));
  }
  const std::vector<std::string> lines = lines_of(payloads);
  CHECK(lines.size() == pods.written.size());
  CHECK(std::set<std::string>(lines.begin(), lines.end()) == pods.written);
}

}  // namespace
}  // namespace tideover::tail
