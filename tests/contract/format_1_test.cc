// A directory of format 1, as its last version left it after a crash, under the version of today.
#include <filesystem>

#include "tests/contract/disks.h"
#include "tests/data/format_1/content.h"
#include "tests/support/catch_result.h"
#include "tests/support/rocks_surgery.h"
#include "tests/support/threaded_life.h"
#include "wal/queue_state.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

using namespace test_support;

namespace fs = std::filesystem;

// A copy that may be written to.
class OldDirectory {
 public:
  OldDirectory() {
    fs::copy(fs::path(TIDEOVER_TEST_DATA) / "format_1" / "store", directory());
    fs::permissions(directory(), fs::perms::owner_all);
    for (const auto& entry : fs::directory_iterator(directory()))
      fs::permissions(entry.path(), fs::perms::owner_read | fs::perms::owner_write);
  }
  std::string directory() const { return root_ / "store"; }
  RocksOptions options() const { return {.directory = directory(), .ballast_bytes = 0, .note = {}}; }

 private:
  TempDirectory root_;
};

void check_record(const StoredRecord& found, std::uint64_t written) {
  const Attributes expected = format_1::attributes(written);
  CHECK(found.payload() == format_1::payload(written));
  CHECK(found.attributes.encoding == expected.encoding);
  CHECK(found.attributes.flags == expected.flags);
  CHECK(found.attributes.units == expected.units);
  CHECK(found.attributes.raw_bytes == expected.raw_bytes);
  CHECK(found.attributes.tallies == expected.tallies);
  CHECK(found.attributes.arrival_ms == expected.arrival_ms);
  CHECK(found.attributes.oldest_ms == expected.oldest_ms);
  CHECK(found.attributes.newest_ms == expected.newest_ms);
}

void check_records(ThreadedLife& life, CursorId cursor, std::uint64_t first, std::uint64_t last) {
  const auto batch = life.run(life.queue.read(cursor, 1 << 20));
  REQUIRE(batch.has_value());
  CHECK(batch->damaged_records == 0);
  REQUIRE(batch->records.size() == last - first + 1);
  for (std::uint64_t i = first; i <= last; ++i) check_record(batch->records[i - first], i);
}

void check_everything(ThreadedLife& life) {
  const auto lane = life.queue.find_lane("metrics"), rejects = life.queue.find_lane("metrics/rejects/thanos");
  REQUIRE(lane);
  REQUIRE(rejects);
  const CursorUsage thanos = life.usage(*lane, "thanos");
  CHECK(thanos.position == Seq{16});
  CHECK(thanos.overtaken_before == Seq{20});
  CHECK(lost(thanos, Reason::duplicate) == 2);
  CHECK(lost(thanos, Reason::bad_request) == 1);
  CHECK(thanos.ledger.probable_duplicates == 3);
  life.check_closed(*lane);
  check_records(life, life.queue.open_cursor(*lane, "thanos", Keep::required, StartAt::now), 16, 60);
  check_records(life, life.queue.open_cursor(*lane, "second", Keep::required, StartAt::now), 1, 60);
  check_records(life, life.queue.open_cursor(*rejects, "thanos", Keep::best_effort, StartAt::oldest), 101,
                102);
  CHECK(life.queue.checkpoint("position/even") == "60");
  CHECK_FALSE(life.queue.checkpoint("position/removed"));
}

}  // namespace

TEST_CASE("a directory of format 1 is read bit for bit, and written in format 2 from then on", "[format]") {
  const OldDirectory old;
  {
    RocksStore store(old.options());
    ThreadedLife life(store);
    check_everything(life);
    const LaneId lane = *life.queue.find_lane("metrics");
    life.append(lane, "new");
  }
  RocksStore store(old.options());
  ThreadedLife life(store);
  const LaneId lane = *life.queue.find_lane("metrics");
  const CursorId second = life.queue.open_cursor(lane, "second", Keep::required, StartAt::now);
  CHECK(life.payloads(second).size() == 61);
  CHECK(life.drain(lane, second).back() == "new");
}

TEST_CASE("a directory of format 1 says 2 once it was opened, and its new values are of version 2",
          "[format]") {
  const OldDirectory old;
  {
    RocksStore store(old.options());
    ThreadedLife life(store);
    const LaneId lane = life.queue.open_lane("metrics", {});
    const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
    life.append(lane, "new");
    life.drain(lane, cursor);
  }
  RocksStore store(old.options());
  const auto image = store.open();
  REQUIRE(image);
  CHECK(image->meta.at(lane_key("metrics")).front() == 2);
  CHECK(image->meta.at(cursor_key("metrics", "thanos")).front() == 2);
  CHECK(image->meta.at(cursor_key("metrics", "second")).front() == 1);
  CHECK(image->tails.at(lane_id("metrics")).name_check == name_check("metrics"));
  CHECK(format_of(old.directory()) == "2");
}

TEST_CASE("a crash in the first opening of format 1, after it said 2, loses nothing", "[format]") {
  const OldDirectory old;
  {
    RocksStore store(old.options());
    REQUIRE(store.open());
  }
  CHECK(format_of(old.directory()) == "2");
  RocksStore store(old.options());
  ThreadedLife life(store);
  check_everything(life);
}

TEST_CASE("with the meta of a directory of format 1 gone, everything that exists is delivered", "[format]") {
  const OldDirectory old;
  {
    RocksStore store(old.options());
    REQUIRE(store.open());
  }
  forget_meta(old.directory());
  RocksStore store(old.options());
  ThreadedLife life(store);
  const LaneId lane = life.queue.open_lane("metrics", {});
  const CursorId cursor = life.queue.open_cursor(lane, "thanos", Keep::required, StartAt::now);
  check_records(life, cursor, 1, 60);
  life.append(lane, "new");
  CHECK(life.drain(lane, cursor).size() == 61);
  CHECK(lost(life.usage(lane, "thanos"), Reason::damaged) == 0);
}

}  // namespace tideover::wal
