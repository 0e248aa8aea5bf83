// One flipped byte in every kind of file: the store opens, nothing is altered, and little is missing.
//
// Each trial works on a fresh copy of one directory that has tables on two levels, a log with the newest
// records, and meta that was rewritten many times. TIDEOVER_FLIPS=n sets the trials per file (default 3);
// the outcome is printed for docs/WAL_FORMAT.md.
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks_store.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr LaneId kMetrics{7};
constexpr LaneId kLogs{3};
constexpr std::uint64_t kMetricRecords = 240;
constexpr std::uint64_t kLogRecords = 2400;
constexpr std::size_t kMetricBytes = 14'000;
constexpr std::size_t kLogBytes = 300;

std::string payload_of(LaneId lane, std::uint64_t seq, std::size_t size) {
  std::string text = fmt::format("{}/{}:", lane.value, seq);
  std::uint64_t state = lane.value * 1'000'003 + seq;
  while (text.size() < size) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

RocksOptions options_for(const std::string& directory, std::vector<std::string>* notes = nullptr) {
  RocksOptions options{.directory = directory, .ballast_bytes = 0, .memtable_bytes = 512 << 10, .note = {}};
  options.note = [notes](const std::string& sentence) {
    if (notes != nullptr) notes->push_back(sentence);
  };
  return options;
}

// Groups of 2 metric and 20 log records, and a cursor that moves with each.
void write_everything(const std::string& directory) {
  RocksStore store(options_for(directory));
  REQUIRE(store.open());
  LaneWriter metrics(kMetrics), logs(kLogs);
  for (std::uint64_t group = 1; group <= kMetricRecords / 2; ++group) {
    StoreBatch batch;
    for (int i = 0; i < 2; ++i)
      batch.records.push_back(metrics.put(payload_of(kMetrics, metrics.tail().value + 1, kMetricBytes)));
    for (int i = 0; i < 20; ++i)
      batch.records.push_back(logs.put(payload_of(kLogs, logs.tail().value + 1, kLogBytes)));
    batch.meta = {{"cursor/thanos", std::to_string(group)}, {"commit", std::to_string(group)}};
    REQUIRE(store.commit(batch));
  }
}

struct Seen {
  std::uint64_t present = 0;
  std::uint64_t altered = 0;
};

Seen read_lane(Store& store, LaneId lane, std::uint64_t count, std::size_t size) {
  Seen seen;
  for (Seq from{1}; from < Seq{count + 1};) {
    const auto range = store.read({lane, from, Seq{count + 1}, 1 << 20});
    REQUIRE(range);
    REQUIRE(from < range->next);
    for (const StoredRecord& record : range->records) {
      ++seen.present;
      if (record.payload() != payload_of(lane, record.seq.value, size)) ++seen.altered;
    }
    from = range->next;
  }
  return seen;
}

std::string kind_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (file.extension() == ".sst") return "table";
  if (file.extension() == ".log") return "log";
  return name.substr(0, name.find('-'));
}

void flip(const fs::path& file, std::uintmax_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  char byte = 0;
  stream.get(byte);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ 0x20));
}

struct Tally {
  int trials = 0, harmless = 0, old_meta = 0, repaired = 0;
  std::uint64_t metrics_lost_max = 0, logs_lost_max = 0, altered = 0;
};

int trials_per_file() {
  const char* wanted = std::getenv("TIDEOVER_FLIPS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : 3;
}

// The start and the end of a file, a table's footer, index and properties, and the rest spread evenly.
std::set<std::uintmax_t> places(const fs::path& file, int count) {
  const std::uintmax_t size = fs::file_size(file);
  std::set<std::uintmax_t> offsets{0, size - 1};
  if (kind_of(file) == "table")
    for (const std::uintmax_t back : {10U, 30U, 45U, 80U, 400U, 900U})
      if (back < size) offsets.insert(size - back);
  for (int i = 1; i < count; ++i)
    offsets.insert(size * static_cast<std::uintmax_t>(i) / static_cast<std::uintmax_t>(count));
  return offsets;
}

}  // namespace

TEST_CASE("a flipped byte in any file costs at most its block, and nothing is altered", "[crash]") {
  TempDirectory root;
  const std::string original = root / "original";
  write_everything(original);
  std::map<std::string, Tally> table;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(original))
    if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path());
  std::sort(files.begin(), files.end());

  for (const fs::path& file : files) {
    for (const std::uintmax_t at : places(file, trials_per_file())) {
      const std::string copy = root / "copy";
      fs::remove_all(copy);
      fs::copy(original, copy);
      ::chmod(copy.c_str(), 0700);
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
      const bool current =
          commit != image->meta.end() && commit->second == std::to_string(kMetricRecords / 2);
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
        // A 32 KiB block of the log, and the groups that reach into it.
        CHECK(metrics_lost <= 6);
        CHECK(logs_lost <= 60);
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
  bool flipped = false, refused = false;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t group = 0; group < 2000 && !refused; ++group) {
    StoreBatch batch;
    batch.records.push_back(metrics.put(payload_of(kMetrics, metrics.tail().value + 1, kMetricBytes)));
    batch.records.push_back(logs.put(payload_of(kLogs, logs.tail().value + 1, kLogBytes)));
    batch.meta = {{"commit", std::to_string(group)}};
    const auto committed = store.commit(batch);
    refused = !committed;
    if (committed) acknowledged = metrics.tail().value;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (flipped || entry.path().extension() != ".sst" || entry.file_size() < 100'000) continue;
      flip(entry.path(), 50'000);
      flipped = true;
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
