// A sync that fails, a disk that breaks, and a power cut between any two of them: what was acknowledged is
// there, what was refused may be there whole or not at all.
#include <fmt/format.h>
#include <random>

#include "tests/support/catch_result.h"
#include "tests/support/fault_disk.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kPlenty = 1 << 30;

class FaultyStore {
 public:
  FaultyStore() { restart(); }

  RocksStore& store() { return *store_; }
  FaultDisk& disk() { return disk_; }
  void restart() {
    store_.reset();
    store_ = std::make_unique<RocksStore>(options_);
  }
  void end_and_cut_power() {
    store_.reset();
    disk_.freeze();
    disk_.lose_unsynced(false);
    store_ = std::make_unique<RocksStore>(options_);
  }
  void cut_power(bool torn) {
    disk_.freeze();
    store_.reset();
    disk_.lose_unsynced(torn);
    store_ = std::make_unique<RocksStore>(options_);
  }

 private:
  TempDirectory root_;
  FaultDisk disk_;
  RocksOptions options_{.directory = root_ / "store",
                        .ballast_bytes = 0,
                        .memtable_bytes = 512 << 10,
                        .note = {},
                        .env = disk_.env()};
  std::unique_ptr<RocksStore> store_;
};

// The numbers that are stored, as runs: "1-590".
std::string stored(Store& store, Seq until) {
  std::string runs;
  std::uint64_t first = 0, last = 0;
  const auto end_run = [&] {
    if (last != 0) runs += fmt::format("{}{}-{}", runs.empty() ? "" : " ", first, last);
  };
  for (Seq from{1}; from < until;) {
    const auto range = store.read({kMetrics, from, until, kPlenty});
    REQUIRE(range);
    for (const StoredRecord& record : range->records) {
      CHECK(record.payload().starts_with(std::to_string(record.seq.value) + ":"));
      if (last == 0 || record.seq.value != last + 1) {
        end_run();
        first = record.seq.value;
      }
      last = record.seq.value;
    }
    from = range->next;
  }
  end_run();
  return runs;
}

std::string first_numbers(std::uint64_t count) { return fmt::format("1-{}", count); }

StoreBatch group(LaneWriter& lane, int records, std::size_t size, std::uint64_t number) {
  StoreBatch batch;
  for (int i = 0; i < records; ++i)
    batch.records.push_back(lane.put(std::to_string(lane.tail().value + 1) + ":" + std::string(size, 'x')));
  batch.meta = {{"commit", std::to_string(number)}};
  return batch;
}

}  // namespace

TEST_CASE("a group syncs the log once, and once more before its end when it is large", "[crash]") {
  FaultyStore faulty;
  LaneWriter lane(kMetrics);
  REQUIRE(faulty.store().open());
  const auto syncs_of = [&](int records) {
    const int before = faulty.disk().log_syncs();
    REQUIRE(faulty.store().commit(group(lane, records, 10'000, 1)));
    return faulty.disk().log_syncs() - before;
  };
  CHECK(syncs_of(1) == 1);
  CHECK(syncs_of(10) == 1);
  CHECK(syncs_of(30) == 2);
}

TEST_CASE("a failed sync is an error, reads go on, and the store opens again without the file", "[crash]") {
  const int records = GENERATE(1, 60);  // one log record, and a group of several
  FaultyStore faulty;
  LaneWriter lane(kMetrics);
  REQUIRE(faulty.store().open());
  REQUIRE(faulty.store().commit(group(lane, 3, 14'000, 1)));

  faulty.disk().fail_next_log_sync();
  const auto refused = faulty.store().commit(group(lane, records, 14'000, 2));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::io_error);
  // The disk is well again, but nothing is written into that file.
  CHECK(faulty.store().commit(batch_of({}, {{"x", "y"}})).error().code == Errc::unavailable);
  CHECK(stored(faulty.store(), Seq{4}) == first_numbers(3));

  const auto image = faulty.store().open();
  REQUIRE(image);
  // All of the group or nothing of it.
  const bool applied = image->meta.at("commit") == "2";
  const std::uint64_t count = applied ? 3 + static_cast<std::uint64_t>(records) : 3;
  CHECK(image->tails.at(kMetrics).seq == Seq{count});
  CHECK(stored(faulty.store(), next(lane.tail())) == first_numbers(count));

  // What the open found is synced now, in files of its own: a power cut does not take it back.
  faulty.cut_power(false);
  const auto again = faulty.store().open();
  REQUIRE(again);
  CHECK(again->meta.at("commit") == image->meta.at("commit"));
  CHECK(stored(faulty.store(), next(lane.tail())) == first_numbers(count));
}

TEST_CASE("a group of several log records that was cut in the middle counts for nothing", "[crash]") {
  const bool torn = GENERATE(false, true);
  FaultyStore faulty;
  LaneWriter lane(kMetrics);
  REQUIRE(faulty.store().open());
  REQUIRE(faulty.store().commit(group(lane, 3, 14'000, 1)));
  LaneWriter ahead = lane;
  faulty.disk().fail_next_log_sync();
  REQUIRE_FALSE(faulty.store().commit(group(ahead, 120, 14'000, 2)));
  faulty.cut_power(torn);

  const auto image = faulty.store().open();
  REQUIRE(image);
  CHECK(image->meta.at("commit") == "1");
  CHECK(image->tails.at(kMetrics).seq == Seq{3});
  CHECK(stored(faulty.store(), next(ahead.tail())) == first_numbers(3));

  // Their numbers are free for others.
  REQUIRE(faulty.store().commit(group(lane, 2, 100, 3)));
  CHECK(faulty.store().open()->tails.at(kMetrics).seq == Seq{5});
}

TEST_CASE("no table outlives the log of a group whose sync failed", "[crash]") {
  const int records = GENERATE(60, 90, 120);  // memtables are full on the way, and wait to be written
  FaultyStore faulty;
  LaneWriter lane(kMetrics);
  REQUIRE(faulty.store().open());
  REQUIRE(faulty.store().commit(group(lane, 3, 14'000, 1)));
  faulty.disk().fail_next_log_sync();
  LaneWriter ahead = lane;
  REQUIRE_FALSE(faulty.store().commit(group(ahead, records, 14'000, 2)));
  // Closing waits for what runs in the background; then the power goes.
  faulty.end_and_cut_power();
  const auto image = faulty.store().open();
  REQUIRE(image);
  CHECK(image->meta.at("commit") == "1");
  CHECK(image->tails.at(kMetrics).seq == Seq{3});
  CHECK(stored(faulty.store(), next(ahead.tail())) == first_numbers(3));
}

TEST_CASE("a disk that breaks for a while costs nothing that was acknowledged", "[crash]") {
  const bool full = GENERATE(false, true);
  FaultyStore faulty;
  LaneWriter lane(kMetrics);
  REQUIRE(faulty.store().open());
  REQUIRE(faulty.store().commit(group(lane, 50, 14'000, 1)));
  if (full)
    faulty.disk().fail_writes_with_enospc();
  else
    faulty.disk().fail_writes_with_eio();
  LaneWriter ahead = lane;
  const auto refused = faulty.store().commit(group(ahead, 3, 14'000, 2));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == (full ? Errc::disk_full : Errc::io_error));
  CHECK(stored(faulty.store(), Seq{51}) == first_numbers(50));
  // While it lasts, opening fails with the same words and reading goes on.
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto still = faulty.store().open();
    REQUIRE_FALSE(still);
    CHECK(still.error().code == refused.error().code);
    CHECK(stored(faulty.store(), Seq{51}) == first_numbers(50));
  }
  faulty.disk().heal();
  const auto image = faulty.store().open();
  REQUIRE(image);
  CHECK(image->tails.at(kMetrics).seq >= Seq{50});
  CHECK(stored(faulty.store(), Seq{51}) == first_numbers(50));
}

TEST_CASE("power cuts at any moment lose nothing that was acknowledged", "[crash]") {
  const auto seed = GENERATE(range(1, 13));
  INFO("seed " << seed);
  std::mt19937_64 random(static_cast<std::uint64_t>(seed));
  FaultyStore faulty;
  std::uint64_t acknowledged = 0, number = 0;
  REQUIRE(faulty.store().open());
  for (int life = 0; life < 4; ++life) {
    LaneWriter lane(kMetrics, Seq{acknowledged + 1});
    const auto groups = 1 + random() % 30;
    for (std::uint64_t i = 0; i < groups; ++i) {
      REQUIRE(faulty.store().commit(
          group(lane, 1 + static_cast<int>(random() % 40), random() % 20'000, ++number)));
      acknowledged = lane.tail().value;
    }
    bool maybe = false;
    if (random() % 2 == 0) {
      faulty.disk().fail_next_log_sync();
      maybe = true;
      REQUIRE_FALSE(
          faulty.store().commit(group(lane, 1 + static_cast<int>(random() % 40), 14'000, number + 1)));
    }
    faulty.cut_power(random() % 2 == 0);
    const auto image = faulty.store().open();
    REQUIRE(image);
    INFO("life " << life << ", acknowledged " << acknowledged << ", offered " << lane.tail().value);
    const std::uint64_t tail = image->tails.at(kMetrics).seq.value;
    CHECK((tail == acknowledged || (maybe && tail == lane.tail().value)));
    CHECK(image->meta.at("commit") == std::to_string(tail == acknowledged ? number : number + 1));
    CHECK(stored(faulty.store(), Seq{tail + 1}) == first_numbers(tail));
    number += tail == acknowledged ? 0 : 1;
    acknowledged = tail;
  }
}

}  // namespace tideover::wal
