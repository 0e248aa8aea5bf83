// One directory for every kind of damage: tables on two levels, a log with the newest records, meta that was
// rewritten many times. Each trial works on a fresh copy of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {

// Two lanes in every group: 2 records of the one, 20 of the other.
inline constexpr LaneId kMetrics{7};
inline constexpr LaneId kLogs{3};
inline constexpr std::uint64_t kMetricRecords = 240;
inline constexpr std::uint64_t kLogRecords = 2400;
inline constexpr std::size_t kMetricBytes = 14'000;
inline constexpr std::size_t kLogBytes = 300;
inline constexpr std::uint64_t kWrittenGroups = kMetricRecords / 2;

std::string payload_of(LaneId lane, std::uint64_t seq, std::size_t size);
RocksOptions options_for(const std::string& directory, std::vector<std::string>* notes = nullptr);

struct Seen {
  std::uint64_t present = 0;
  std::uint64_t altered = 0;
};
Seen read_lane(Store& store, LaneId lane, std::uint64_t count, std::size_t size);

class WrittenStore {
 public:
  WrittenStore();

  const std::vector<std::filesystem::path>& files() const { return files_; }  // sorted, none of them empty
  std::string fresh_copy();                                                   // the one before is gone

 private:
  TempDirectory root_;
  const std::string original_ = root_ / "original";
  std::vector<std::filesystem::path> files_;
};

std::string kind_of(const std::filesystem::path& file);  // table, log, or its name

// The start and the end of a file, a table's footer, index and properties, and `count` - 1 spread evenly.
std::set<std::uintmax_t> places(const std::filesystem::path& file, int count);
int trials_per_file();  // TIDEOVER_FLIPS, or 3

void flip(const std::filesystem::path& file, std::uintmax_t at);

}  // namespace tideover::wal
