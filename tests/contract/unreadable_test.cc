// A store whose device refuses to read: a page of it, for a while or for good, or everything.
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;
using disk::BadSectors;
using disk::Extent;
using disk::Lasting;

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kRecords = 60;
constexpr std::uint64_t kInPage = 2;  // of 14 KB records at most two reach into a page

std::string payload_of(std::uint64_t seq) { return fmt::format("{}:{}", seq, std::string(14'000, 'x')); }

class Unreadable {
 public:
  Unreadable() {
    sectors().clear();
    RocksStore store(options());
    LaneWriter lane(kMetrics);
    REQUIRE(store.open());
    while (lane.tail().value < kRecords) {
      if (lane.tail().value == kRecords / 2) REQUIRE(store.open());  // from the log into tables
      REQUIRE(store.commit(batch_of({lane.put(payload_of(lane.tail().value + 1))}, {{"kept", "1"}})));
    }
  }
  ~Unreadable() { sectors().clear(); }
  Unreadable(const Unreadable&) = delete;
  Unreadable& operator=(const Unreadable&) = delete;

  static BadSectors& sectors() { return BadSectors::of_process(); }
  RocksOptions options() {
    return {.directory = directory,
            .ballast_bytes = 0,
            .memtable_bytes = 8 << 20,
            .read_patience = std::chrono::milliseconds(2),
            .note = [this](const std::string& note) { notes.push_back(note); }};
  }
  // The largest file of this kind.
  fs::path file(const std::string& extension) const {
    fs::path largest;
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().extension() == extension &&
          (largest.empty() || fs::file_size(largest) < entry.file_size()))
        largest = entry.path();
    REQUIRE(fs::file_size(largest) > 100'000);
    return largest;
  }
  static std::uint64_t intact(Store& store) {
    std::uint64_t count = 0;
    for (Seq from{1}; from < Seq{kRecords + 1};) {
      const auto range = store.read({kMetrics, from, Seq{kRecords + 1}, 4 << 20});
      REQUIRE(range);
      for (const StoredRecord& record : range->records) {
        CHECK(record.payload() == payload_of(record.seq.value));
        ++count;
      }
      from = range->next;
    }
    return count;
  }

 private:
  TempDirectory root_;

 public:
  const std::string directory = root_ / "store";
  std::vector<std::string> notes;
};

}  // namespace

TEST_CASE("a page that is bad for good costs the records in it, is counted, and named in a sentence",
          "[unreadable]") {
  const std::string kind = GENERATE(".sst", ".log");
  Unreadable store;
  const fs::path bad = store.file(kind);
  Unreadable::sectors().add(bad, Extent::page(10));
  for (int life = 0; life < 2; ++life) {
    RocksStore opened(store.options());
    const auto image = opened.open();
    REQUIRE(image);
    CHECK(image->meta.at("kept") == "1");
    CHECK(image->tails.at(kMetrics).seq == Seq{kRecords});
    const std::uint64_t found = Unreadable::intact(opened);
    CHECK(found < kRecords);
    CHECK(found >= kRecords - kInPage);
    if (life > 0) continue;
    CHECK(opened.usage().unreadable_pages == 1);
    REQUIRE(opened.commit({}));
    const std::string words =
        fmt::format("of {} cannot be read: what stood there is taken for damaged", bad.string());
    CHECK(std::count_if(store.notes.begin(), store.notes.end(), [&words](const std::string& note) {
            return note.find(words) != std::string::npos;
          }) == 1);
  }
}

TEST_CASE("a page that reads when it is asked again costs nothing, and nothing is said of it",
          "[unreadable]") {
  const std::string kind = GENERATE(".sst", ".log");
  Unreadable store;
  Unreadable::sectors().add(store.file(kind), Extent::page(10), Lasting{.reads = 4});
  RocksStore opened(store.options());
  REQUIRE(opened.open());
  CHECK(Unreadable::intact(opened) == kRecords);
  CHECK(opened.usage().unreadable_pages == 0);
  CHECK(Unreadable::sectors().hits() > 0);
  CHECK(store.notes.empty());
}

TEST_CASE("a device that answers nothing is away: the store does not open, and has all when it is back",
          "[unreadable]") {
  Unreadable store;
  Unreadable::sectors().add_named("*");
  {
    RocksStore away(store.options());
    const auto image = away.open();
    REQUIRE_FALSE(image);
    CHECK(image.error().code == Errc::io_error);
  }
  Unreadable::sectors().clear();
  RocksStore opened(store.options());
  REQUIRE(opened.open());
  CHECK(Unreadable::intact(opened) == kRecords);
}

}  // namespace tideover::wal
