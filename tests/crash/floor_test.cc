// A queue on a real ext4 that others have filled, below the floor and up to the last byte: what the receiver
// takes flows on, and only what it does not take is refused.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "tests/crash/loop_disk.h"
#include "tests/support/catch_result.h"
#include "tests/support/skip.h"
#include "tests/support/threaded_life.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

using namespace test_support;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::size_t kRecord = 128 << 10;
constexpr std::uint64_t kFlow = SignalLimits().flow_bytes;

// One agent's worth on the disk, until it is destroyed.
struct Node {
  explicit Node(const LoopDisk& disk)
      : store({.directory = disk.mount() + "/store", .note = {}}),
        life(store),
        lane(life.queue.open_lane("metrics", {0, true})),
        cursor(life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::oldest)) {}

  Result<> append() { return life.run(life.queue.append(lane, record(std::string(kRecord, 'x'), 1))); }

  RocksStore store;
  ThreadedLife life;
  const LaneId lane;
  const CursorId cursor;
};

// As Prometheus does: what is refused is sent again, here until it is refused for the floor. How often it
// was.
std::optional<int> append_in_the_end(Node& node) {
  const auto rest = [](Clock& clock) -> awaitable<Result<>> {
    co_await sleep_until(clock, clock.now() + std::chrono::milliseconds(10));
    co_return boost::system::in_place_value;
  };
  for (int refused = 0; refused < 1'000; ++refused) {
    const Result<> appended = node.append();
    if (appended.has_value()) return refused;
    if (appended.error().code == Errc::disk_floor) return std::nullopt;
    REQUIRE(node.life.run(rest(node.life.clock)).has_value());
  }
  FAIL("refused for ten seconds");
  return std::nullopt;
}

// The receiver takes everything that there is.
std::uint64_t deliver(Node& node) {
  std::uint64_t records = 0;
  while (true) {
    const Result<Batch> batch = node.life.run(node.life.queue.read(node.cursor, 1 << 20));
    if (batch.has_error()) continue;  // the store is being opened again
    if (batch->records.empty()) return records;
    records += batch->records.size();
    Ack ack;
    ack.upto = batch->next;
    REQUIRE(node.life.queue.ack(node.cursor, std::move(ack)));
  }
}

struct Level {
  double used;    // of the file system, by others
  bool never_no;  // nothing is refused while the receiver takes it
};

}  // namespace

TEST_CASE("on a disk that others have filled, data flows, and a backlog is refused at the allowance",
          "[crash]") {
  if (const auto reason = LoopDisk::why_not(); reason && test::cannot_run(*reason)) return;
  const Level level = GENERATE(Level{0.79, true}, Level{0.81, true}, Level{0.95, true}, Level{1.0, false});
  CAPTURE(level.used);
  LoopDisk disk(640);
  auto node = std::make_unique<Node>(disk);  // while there is room to set something aside
  const double left = static_cast<double>(disk.size_bytes()) * (1 - level.used);
  disk.hog(
      std::max(static_cast<std::uint64_t>(left), 64 * kMiB / 256));  // a file of that size needs some itself

  std::uint64_t taken = 0, delivered = 0;
  const auto flow = [&](std::uint64_t bytes) {
    for (std::uint64_t sent = 0; sent < bytes; sent += kRecord, ++taken) {
      const auto refused = append_in_the_end(*node);
      REQUIRE(refused);
      if (level.never_no) REQUIRE(refused == 0);
      if (sent % kMiB == 0) delivered += deliver(*node);
    }
    delivered += deliver(*node);
  };
  flow(100 * kMiB);  // several times what is set aside
  CHECK(delivered == taken);

  // The receiver is away.
  std::uint64_t backlog = 0;
  for (; backlog < 200 * kMiB && append_in_the_end(*node); backlog += kRecord) ++taken;
  CHECK(backlog <= kFlow);
  CHECK(backlog > (level.used < 0.9 ? kFlow - 2 * kRecord : level.used < 1 ? 16 * kMiB : 4 * kMiB));
  const Result<> refused = node->append();
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == Errc::disk_floor);

  node.reset();
  node = std::make_unique<Node>(disk);
  delivered += deliver(*node);
  CHECK(delivered == taken);
  flow(60 * kMiB);
  CHECK(delivered == taken);
  node->life.check_closed(node->lane);
}

}  // namespace tideover::wal
