// One page that the device refuses to read, in every kind of file: for a while it costs nothing; for good it
// costs the records that it holds, like damage, and the store opens, compacts and goes on.
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <map>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"

namespace tideover::wal {

namespace fs = std::filesystem;
using disk::BadSectors;
using disk::Extent;
using disk::Lasting;

namespace {

// Of 14 KB records at most two reach into a page; of 300 bytes, with their envelopes and keys, eleven do.
constexpr std::uint64_t kMetricsInPage = 2;
constexpr std::uint64_t kLogsInPage = 11;

RocksOptions impatient(const std::string& directory, std::vector<std::string>* notes = nullptr) {
  RocksOptions options = options_for(directory, notes);
  options.read_patience = std::chrono::milliseconds(2);
  return options;
}

struct Sectors {
  Sectors() { BadSectors::of_process().clear(); }
  ~Sectors() { BadSectors::of_process().clear(); }
  BadSectors* operator->() const { return &BadSectors::of_process(); }
};

struct Tally {
  int trials = 0, met = 0, rebuilt = 0;
  std::uint64_t metrics_lost_max = 0, logs_lost_max = 0;
};

// The store is written to, and opened once more.
void goes_on(RocksStore& store) {
  LaneWriter more(kMetrics, Seq{kMetricRecords + 1});
  const StoreBatch after = batch_of({more.put("after")}, {{"commit", "after"}});
  if (!store.commit(after)) {  // a compaction in the background has met the page: as after any failed commit
    REQUIRE(store.open());
    REQUIRE(store.commit(after));
  }
  const auto again = store.open();
  REQUIRE(again);
  CHECK(again->tails.at(kMetrics).payload() == "after");
  CHECK(again->meta.at("commit") == "after");
}

}  // namespace

TEST_CASE("a page that cannot be read costs at most the records it holds, and the store goes on", "[crash]") {
  WrittenStore written;
  Sectors sectors;
  std::map<std::string, Tally> table;
  for (const fs::path& file : written.files()) {
    for (const std::uintmax_t at : places(file, trials_per_file())) {
      const std::string copy = written.fresh_copy();
      INFO(file.filename() << " at " << at << " of " << fs::file_size(file));
      const auto bad = sectors->add(fs::path(copy) / file.filename(), Extent::page(at / disk::kPage));

      std::vector<std::string> notes;
      RocksStore store(impatient(copy, &notes));
      const auto image = store.open();
      for (const std::string& note : notes) UNSCOPED_INFO(note);
      REQUIRE(image);
      const Seen metrics = read_lane(store, kMetrics, kMetricRecords, kMetricBytes);
      const Seen logs = read_lane(store, kLogs, kLogRecords, kLogBytes);
      const std::uint64_t metrics_lost = kMetricRecords - metrics.present;
      const std::uint64_t logs_lost = kLogRecords - logs.present;
      Tally& tally = table[kind_of(file)];
      ++tally.trials;
      tally.met += sectors->hits(bad) > 0 ? 1 : 0;
      tally.rebuilt += std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
        return note.find("is built anew") != std::string::npos;
      });
      tally.metrics_lost_max = std::max(tally.metrics_lost_max, metrics_lost);
      tally.logs_lost_max = std::max(tally.logs_lost_max, logs_lost);

      CHECK(metrics.altered + logs.altered == 0);
      const bool holds_records = kind_of(file) == "table" || kind_of(file) == "log";
      CHECK(metrics_lost <= (holds_records ? kMetricsInPage : 0));
      CHECK(logs_lost <= (holds_records ? kLogsInPage : 0));
      if (metrics_lost + logs_lost > 0) CHECK(store.usage().unreadable_pages > 0);
      if (kind_of(file) != "log") CHECK(image->meta.at("commit") == std::to_string(kWrittenGroups));
      goes_on(store);
      if (metrics_lost + logs_lost > 0) CHECK_FALSE(notes.empty());
      sectors->clear();
    }
  }
  std::cout << "file      trials met rebuilt metrics-lost-max logs-lost-max\n";
  for (const auto& [kind, t] : table)
    std::cout << fmt::format("{:<9} {:>6} {:>3} {:>7} {:>16} {:>13}\n", kind, t.trials, t.met, t.rebuilt,
                             t.metrics_lost_max, t.logs_lost_max);
  CHECK(table.at("log").met == table.at("log").trials);
  CHECK(table.at("MANIFEST").met == table.at("MANIFEST").trials);
  CHECK(table.at("CURRENT").met == table.at("CURRENT").trials);
}

TEST_CASE("a page that reads again after a while costs nothing", "[crash]") {
  WrittenStore written;
  Sectors sectors;
  for (const fs::path& file : written.files()) {
    for (const std::uintmax_t at : places(file, 2)) {
      const std::string copy = written.fresh_copy();
      INFO(file.filename() << " at " << at << " of " << fs::file_size(file));
      sectors->add(fs::path(copy) / file.filename(), Extent::page(at / disk::kPage),
                   Lasting{.time = std::chrono::milliseconds(30)});
      std::vector<std::string> notes;
      RocksOptions options = options_for(copy, &notes);
      options.read_patience = std::chrono::seconds(5);
      RocksStore store(options);
      const auto image = store.open();
      REQUIRE(image);
      CHECK(read_lane(store, kMetrics, kMetricRecords, kMetricBytes).present == kMetricRecords);
      CHECK(read_lane(store, kLogs, kLogRecords, kLogBytes).present == kLogRecords);
      CHECK(image->meta.at("commit") == std::to_string(kWrittenGroups));
      CHECK(notes.empty());
      CHECK(store.usage().unreadable_pages == 0);
      sectors->clear();
    }
  }
}

TEST_CASE("a disk that answers nothing is away, and not damaged", "[crash]") {
  WrittenStore written;
  Sectors sectors;
  const std::string copy = written.fresh_copy();
  sectors->add_named("*");
  std::vector<std::string> notes;
  RocksStore store(impatient(copy, &notes));
  const auto refused = store.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::io_error);
  CHECK(notes.empty());
  CHECK_FALSE(fs::exists(copy + "/lost"));

  sectors->clear();
  REQUIRE(store.open());
  CHECK(read_lane(store, kMetrics, kMetricRecords, kMetricBytes).present == kMetricRecords);
  CHECK(read_lane(store, kLogs, kLogRecords, kLogBytes).present == kLogRecords);
  CHECK(notes.empty());

  // The same while it runs: what was asked for meanwhile is an error, and is there afterwards.
  sectors->add_named("*");
  CHECK_FALSE(store.read({kMetrics, Seq{1}, Seq{kMetricRecords + 1}, 1 << 20}));
  sectors->clear();
  CHECK(read_lane(store, kMetrics, kMetricRecords, kMetricBytes).present == kMetricRecords);
}

// For an instant, at every read that opening makes: what cannot be read then is not given up, and stands
// where it stood. No patience, so that the instant fits into every gap between two reads.
TEST_CASE("a disk that is away for an instant of the opening costs nothing", "[crash]") {
  constexpr std::uint64_t kRecords = 40;
  TempDirectory root;
  Sectors sectors;
  RocksOptions options = options_for(root / "written");
  options.read_patience = std::chrono::milliseconds(0);
  {
    RocksStore store(options);
    LaneWriter lane(kMetrics);
    REQUIRE(store.open());
    while (lane.tail().value < kRecords) {
      const std::uint64_t seq = lane.tail().value + 1;
      REQUIRE(store.commit(
          batch_of({lane.put(payload_of(kMetrics, seq, kMetricBytes))}, {{"commit", std::to_string(seq)}})));
      if (seq == kRecords / 2) REQUIRE(store.open());  // one half in tables, one in the log
    }
  }
  const std::string written = std::exchange(options.directory, root / "copy");
  int refused = 0;
  bool met = true;
  for (std::uint64_t after = 0; met; ++after) {
    INFO("away after " << after << " reads");
    fs::remove_all(options.directory);
    fs::copy(written, options.directory);
    fs::permissions(options.directory, fs::perms::owner_all);
    std::vector<std::string> notes;
    options.note = [&notes](const std::string& note) { notes.push_back(note); };
    RocksStore store(options);
    sectors->add_named("*", {}, Lasting{.reads = 60, .after = after});
    if (!store.open()) ++refused;
    met = sectors->hits() > 0;
    sectors->clear();
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->meta == std::map<std::string, std::string>{{"commit", std::to_string(kRecords)}});
    CHECK(read_lane(store, kMetrics, kRecords, kMetricBytes).present == kRecords);
    CHECK(notes.empty());
    CHECK(store.usage().unreadable_pages == 0);
  }
  CHECK(refused > 0);
}

TEST_CASE("a page that goes bad in the midst of the opening costs at most the records it holds", "[crash]") {
  WrittenStore written;
  Sectors sectors;
  int late = 0;  // met by RocksDB first
  for (const fs::path& file : written.files()) {
    if (file.extension() != ".log") continue;
    for (const std::uint64_t page : {0, 1, 5}) {
      bool met = true;
      for (std::uint64_t after = 0; met; ++after) {
        INFO(file.filename() << " page " << page << ", bad after " << after << " reads");
        const std::string copy = written.fresh_copy();
        const auto bad = sectors->add(fs::path(copy) / file.filename(), Extent::page(page), {.after = after});
        std::vector<std::string> notes;
        RocksStore store(impatient(copy, &notes));
        auto image = store.open();
        if (!image) {
          ++late;
          image = store.open();
        }
        for (const std::string& note : notes) UNSCOPED_INFO(note);
        met = sectors->hits(bad) > 0;
        sectors->clear();
        REQUIRE(image);
        const Seen metrics = read_lane(store, kMetrics, kMetricRecords, kMetricBytes);
        const Seen logs = read_lane(store, kLogs, kLogRecords, kLogBytes);
        CHECK(metrics.altered + logs.altered == 0);
        CHECK(kMetricRecords - metrics.present <= kMetricsInPage);
        CHECK(kLogRecords - logs.present <= kLogsInPage);
        goes_on(store);
      }
    }
  }
  CHECK(late > 0);
}

TEST_CASE("a torn end of the log that cannot be read either keeps nothing from opening", "[crash]") {
  WrittenStore written;
  Sectors sectors;
  for (const std::uintmax_t back : {2 * disk::kPage, 3 * disk::kPage, 6 * disk::kPage}) {
    const std::string copy = written.fresh_copy();
    fs::path log;
    for (const fs::path& file : written.files())
      if (file.extension() == ".log") log = fs::path(copy) / file.filename();
    const std::uintmax_t size = fs::file_size(log);
    INFO(log << " of " << size << " bytes, bad " << back << " before its end");
    REQUIRE(size > back + disk::kPage);
    {
      // Blank sectors, as a crash leaves them: the group was never written whole.
      std::fstream stream(log, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(static_cast<std::streamoff>(size / 512 * 512 - 1024));
      stream << std::string(1024, '\0');
    }
    sectors->add(log, Extent::page((size - back) / disk::kPage));
    RocksStore store(impatient(copy));
    auto image = store.open();
    if (!image) image = store.open();
    REQUIRE(image);
    goes_on(store);
    sectors->clear();
  }
}

TEST_CASE("an unreadable page that a compaction meets costs its records, and new data is taken", "[crash]") {
  TempDirectory root;
  Sectors sectors;
  const std::string directory = root / "store";
  std::vector<std::string> notes;
  RocksStore store(impatient(directory, &notes));
  REQUIRE(store.open());
  // Two lanes in every table: their ranges overlap, so level 0 cannot move down without being read.
  LaneWriter metrics(kMetrics), logs(kLogs);
  int refused = 0;
  std::uint64_t acknowledged = 0;
  fs::path bad;
  // A compaction takes its time: longer, until one has met the page and a group was refused for it.
  for (std::uint64_t group = 0; group < 1200 || (refused == 0 && group < 12'000); ++group) {
    StoreBatch batch;
    batch.records.push_back(metrics.put(payload_of(kMetrics, metrics.tail().value + 1, kMetricBytes)));
    batch.records.push_back(logs.put(payload_of(kLogs, logs.tail().value + 1, kLogBytes)));
    batch.meta = {{"commit", std::to_string(group)}};
    if (store.commit(batch)) {
      acknowledged = metrics.tail().value;
    } else {
      ++refused;
      const auto image = store.open();
      REQUIRE(image);
      metrics = LaneWriter(kMetrics, next(image->tails.at(kMetrics).seq));
      logs = LaneWriter(kLogs, next(image->tails.at(kLogs).seq));
    }
    // A table that a compaction had read before its page went bad tells nothing: then another one.
    if (sectors->hits() > 0 || (!bad.empty() && fs::exists(bad))) continue;
    for (const auto& entry : fs::directory_iterator(directory)) {
      std::error_code gone;  // a compaction removes tables meanwhile
      if (entry.path().extension() != ".sst" || entry.file_size(gone) < 100'000 || gone) continue;
      sectors->clear();
      sectors->add(bad = entry.path(), Extent::page(12));
      break;
    }
  }
  REQUIRE(sectors->hits() > 0);
  CHECK(refused == 1);  // and never again
  const Seen seen = read_lane(store, kMetrics, acknowledged, kMetricBytes);
  CHECK(seen.altered == 0);
  CHECK(seen.present >= acknowledged - kMetricsInPage);
  CHECK_FALSE(notes.empty());
}

}  // namespace tideover::wal
