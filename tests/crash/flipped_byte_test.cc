// One flipped byte in every kind of file: the store opens, nothing is altered, and little is missing.
//
// TIDEOVER_FLIPS=n sets the trials per file (default 3); the outcome is printed for docs/WAL_FORMAT.md.
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <map>

#include "tests/crash/written_store.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"

namespace tideover::wal {

namespace fs = std::filesystem;

namespace {

struct Tally {
  int trials = 0, harmless = 0, old_meta = 0, repaired = 0;
  std::uint64_t metrics_lost_max = 0, logs_lost_max = 0, altered = 0;
};

}  // namespace

TEST_CASE("a flipped byte in any file costs at most the record it hits, and nothing is altered", "[crash]") {
  WrittenStore written;
  std::map<std::string, Tally> table;
  for (const fs::path& file : written.files()) {
    for (const std::uintmax_t at : places(file, trials_per_file())) {
      const std::string copy = written.fresh_copy();
      flip(fs::path(copy) / file.filename(), at);
      INFO(file.filename() << " at " << at << " of " << fs::file_size(file));

      std::vector<std::string> notes;
      RocksStore store(options_for(copy, &notes));
      const auto image = store.open();
      for (const std::string& note : notes) UNSCOPED_INFO(note);
      REQUIRE(image);
      const Seen metrics = read_lane(store, kMetrics, kMetricRecords, kMetricBytes);
      const Seen logs = read_lane(store, kLogs, kLogRecords, kLogBytes);
      Tally& tally = table[kind_of(file)];
      const std::uint64_t metrics_lost = kMetricRecords - metrics.present;
      const std::uint64_t logs_lost = kLogRecords - logs.present;
      const auto commit = image->meta.find("commit");
      const bool current = commit != image->meta.end() && commit->second == std::to_string(kWrittenGroups);
      ++tally.trials;
      tally.harmless += metrics_lost + logs_lost == 0 && current ? 1 : 0;
      tally.old_meta += current ? 0 : 1;
      tally.repaired += notes.empty() ? 0 : 1;
      tally.metrics_lost_max = std::max(tally.metrics_lost_max, metrics_lost);
      tally.logs_lost_max = std::max(tally.logs_lost_max, logs_lost);
      tally.altered += metrics.altered + logs.altered;

      CHECK(metrics.altered + logs.altered == 0);
      if (kind_of(file) == "table") {
        CHECK(metrics_lost + logs_lost <= 1);  // the record itself, found by its envelope among intact ones
        CHECK(current);
      } else if (kind_of(file) == "log") {
        CHECK(metrics_lost + logs_lost <= 1);  // the same
        CHECK(image->meta.contains("cursor/thanos"));
      } else {
        CHECK(metrics_lost + logs_lost == 0);
        CHECK(current);
      }

      // The store goes on: what is written now is there after the next open.
      LaneWriter more(kMetrics, Seq{kMetricRecords + 1});
      const StoreBatch after = batch_of({more.put("after")}, {{"commit", "after"}});
      // A compaction in the background may have met the flip by now. Then the group is refused, and the store
      // opens again, as after any failed commit.
      if (!store.commit(after)) {
        REQUIRE(kind_of(file) == "table");
        REQUIRE(store.open());
        REQUIRE(store.commit(after));
      }
      const auto again = store.open();
      REQUIRE(again);
      CHECK(again->tails.at(kMetrics).payload() == "after");
      CHECK(again->meta.at("commit") == "after");
    }
  }
  std::cout << "file      trials harmless older-meta repaired metrics-lost-max logs-lost-max altered\n";
  for (const auto& [kind, t] : table)
    std::cout << fmt::format("{:<9} {:>6} {:>8} {:>10} {:>8} {:>16} {:>13} {:>7}\n", kind, t.trials,
                             t.harmless, t.old_meta, t.repaired, t.metrics_lost_max, t.logs_lost_max,
                             t.altered);
}

TEST_CASE("damage that a compaction meets costs one record, and the store goes on", "[crash]") {
  TempDirectory root;
  const std::string directory = root / "store";
  std::vector<std::string> notes;
  RocksStore store(options_for(directory, &notes));
  REQUIRE(store.open());
  // Two lanes in every table: their ranges overlap, so level 0 cannot move down without being read.
  LaneWriter metrics(kMetrics), logs(kLogs);
  fs::path flipped;
  bool refused = false;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t group = 0; group < 2000 && !refused; ++group) {
    StoreBatch batch;
    batch.records.push_back(metrics.put(payload_of(kMetrics, metrics.tail().value + 1, kMetricBytes)));
    batch.records.push_back(logs.put(payload_of(kLogs, logs.tail().value + 1, kLogBytes)));
    batch.meta = {{"commit", std::to_string(group)}};
    const auto committed = store.commit(batch);
    refused = !committed;
    if (committed) acknowledged = metrics.tail().value;
    // A table that a compaction had read before it was flipped tells nothing: then another one.
    if (!flipped.empty() && fs::exists(flipped)) continue;
    for (const auto& entry : fs::directory_iterator(directory)) {
      std::error_code gone;  // a compaction removes tables meanwhile
      if (entry.path().extension() != ".sst" || entry.file_size(gone) < 100'000 || gone) continue;
      flip(flipped = entry.path(), 50'000);
      break;
    }
  }
  REQUIRE(refused);
  const auto image = store.open();
  REQUIRE(image);
  CHECK(image->tails.at(kMetrics).seq >= Seq{acknowledged});
  const Seen seen = read_lane(store, kMetrics, acknowledged, kMetricBytes);
  CHECK(seen.altered == 0);
  CHECK(seen.present + read_lane(store, kLogs, acknowledged, kLogBytes).present >= 2 * acknowledged - 1);
  CHECK_FALSE(notes.empty());
}

}  // namespace tideover::wal
