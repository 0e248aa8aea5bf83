#include "tests/crash/written_store.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"

namespace tideover::wal {

namespace fs = std::filesystem;

namespace {

void write_everything(const std::string& directory) {
  RocksStore store(options_for(directory));
  REQUIRE(store.open());
  LaneWriter metrics(kMetrics), logs(kLogs);
  for (std::uint64_t group = 1; group <= kWrittenGroups; ++group) {
    StoreBatch batch;
    for (int i = 0; i < 2; ++i)
      batch.records.push_back(metrics.put(payload_of(kMetrics, metrics.tail().value + 1, kMetricBytes)));
    for (int i = 0; i < 20; ++i)
      batch.records.push_back(logs.put(payload_of(kLogs, logs.tail().value + 1, kLogBytes)));
    batch.meta = {{"cursor/thanos", std::to_string(group)}, {"commit", std::to_string(group)}};
    REQUIRE(store.commit(batch));
  }
}

}  // namespace

std::string payload_of(LaneId lane, std::uint64_t seq, std::size_t size) {
  std::string text = fmt::format("{}/{}:", lane.value, seq);
  std::uint64_t state = lane.value * 1'000'003 + seq;
  while (text.size() < size) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

RocksOptions options_for(const std::string& directory, std::vector<std::string>* notes) {
  RocksOptions options{.directory = directory, .ballast_bytes = 0, .memtable_bytes = 512 << 10, .note = {}};
  options.note = [notes](const std::string& sentence) {
    if (notes != nullptr) notes->push_back(sentence);
  };
  return options;
}

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

WrittenStore::WrittenStore() {
  write_everything(original_);
  for (const auto& entry : fs::directory_iterator(original_))
    if (entry.is_regular_file() && entry.file_size() > 0) files_.push_back(entry.path());
  std::sort(files_.begin(), files_.end());
}

std::string WrittenStore::fresh_copy() {
  const std::string copy = root_ / "copy";
  fs::remove_all(copy);
  fs::copy(original_, copy);
  ::chmod(copy.c_str(), 0700);
  return copy;
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

int trials_per_file() {
  const char* wanted = std::getenv("TIDEOVER_FLIPS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : 3;
}

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

}  // namespace tideover::wal
