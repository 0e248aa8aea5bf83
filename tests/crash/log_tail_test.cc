// The end of the newest log: damage there takes its own totals with it, and must not be taken for the torn
// end of a group that nobody was told of, nor the other way round.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/log_end.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/rocks_store.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr LaneId kMetrics{7};
constexpr std::uint64_t kGroups = 20, kPerGroup = 5;
constexpr std::size_t kBlock = 32 << 10;  // of the log

std::string payload_of(std::uint64_t seq, std::size_t size) {
  std::string text;
  for (std::uint64_t state = seq + 1; text.size() < size; state = state * 6364136223846793005U + 99)
    text.push_back(static_cast<char>(state >> 56 | 1));
  return text;
}

// A store whose log ends in a group of kPerGroup records, as kill -9 leaves it.
class WrittenLog {
 public:
  explicit WrittenLog(std::size_t payload_bytes) {
    RocksStore store(options(root_ / "written"));
    REQUIRE(store.open());
    LaneWriter lane(kMetrics);
    for (std::uint64_t group = 1; group <= kGroups; ++group) {
      StoreBatch batch;
      for (std::uint64_t i = 0; i < kPerGroup; ++i)
        batch.records.push_back(lane.put(payload_of(lane.tail().value, payload_bytes)));
      batch.meta = {{"commit", std::to_string(group)}};
      REQUIRE(store.commit(batch));
      if (group + 1 == kGroups) before_last_ = log_of(root_ / "written").size();
    }
    fs::copy(root_ / "written", root_ / "killed");
    fs::permissions(root_ / "killed", fs::perms::owner_all);
  }

  const std::string& directory() const { return killed_; }
  std::string log() const { return log_of(killed_); }
  std::size_t last_group() const { return before_last_; }  // where it begins
  void write_log(const std::string& bytes) {
    std::ofstream(path_of(killed_), std::ios::binary | std::ios::trunc) << bytes;
  }
  // The directory once more, with that in its log.
  std::string copy(const std::string& log) {
    const std::string directory = root_ / "copy";
    fs::remove_all(directory);
    fs::copy(killed_, directory);
    fs::permissions(directory, fs::perms::owner_all);
    std::ofstream(path_of(directory), std::ios::binary | std::ios::trunc) << log;
    return directory;
  }
  static RocksOptions options(const std::string& directory) {
    return {.directory = directory, .ballast_bytes = 0, .note = {}};
  }

 private:
  static fs::path path_of(const std::string& directory) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().extension() == ".log" && (newest.empty() || newest < entry.path()))
        newest = entry.path();
    return newest;
  }
  static std::string log_of(const std::string& directory) {
    std::ifstream file(path_of(directory), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TempDirectory root_;
  const std::string killed_ = root_ / "killed";
  std::size_t before_last_ = 0;
};

}  // namespace

TEST_CASE("a byte flipped in the last group costs the record that was hit, which is counted", "[crash]") {
  const std::size_t payload = GENERATE(300, 14'000);  // within a block of the log, and across blocks
  WrittenLog written(payload);
  const std::string log = written.log();
  CHECK_FALSE(tail_of(log).damaged());
  // In the first record, in the last one, and in what stands behind all of them.
  const std::size_t in_first = written.last_group() + payload, in_last = log.size() - payload;
  for (const auto& [at, lost] : {std::pair(in_first, 1U), {in_last, 1U}, {log.size() - 20, 0U}}) {
    INFO("byte " << at << " of " << log.size());
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    CHECK(tail_of(damaged).damaged());
    CHECK(tail_of(damaged).records == lost);

    const std::string copy = written.copy(damaged);
    RocksStore store(WrittenLog::options(copy));
    const auto image = store.open();
    REQUIRE(image);
    CHECK(image->damaged_at_tail == lost);
    const auto found = store.read({kMetrics, Seq{1}, Seq{kGroups * kPerGroup + 1}, 4 << 20});
    REQUIRE(found);
    CHECK(found->records.size() == kGroups * kPerGroup - lost);
  }
}

TEST_CASE("a flip in the header of the last group hides its end, and costs nothing", "[crash]") {
  const std::size_t payload = GENERATE(300, 14'000);
  WrittenLog written(payload);
  const std::string log = written.log();
  for (std::size_t byte = 0; byte < 7; ++byte) {
    for (const char bit : {0x01, 0x02, 0x20, 0x40}) {
      std::string damaged = log;
      damaged[written.last_group() + byte] = static_cast<char>(damaged[written.last_group() + byte] ^ bit);
      INFO("byte " << byte << " of the header, bit " << static_cast<int>(bit));
      CHECK(tail_of(damaged).damaged());
      CHECK(tail_of(damaged).records == 0);
    }
  }
}

TEST_CASE("a flip does not cost the groups behind it in its block", "[crash]") {
  WrittenLog written(300);
  std::string log = written.log();
  REQUIRE(written.last_group() / kBlock == (written.last_group() - 200) / kBlock);
  log[written.last_group() - 300] = static_cast<char>(log[written.last_group() - 300] ^ 0x20);
  CHECK_FALSE(tail_of(log).damaged());
  written.write_log(log);
  RocksStore store(WrittenLog::options(written.directory()));
  const auto image = store.open();
  REQUIRE(image);
  CHECK(image->damaged_at_tail == 0);
  CHECK(image->tails.at(kMetrics).seq == Seq{kGroups * kPerGroup});
  const auto found = store.read({kMetrics, Seq{1}, Seq{kGroups * kPerGroup + 1}, 4 << 20});
  REQUIRE(found);
  CHECK(found->records.size() >= kGroups * kPerGroup - 1);
}

TEST_CASE("a byte flipped before the last group shows in the totals, and is not counted twice", "[crash]") {
  WrittenLog written(14'000);
  std::string log = written.log();
  log[log.size() / 2] = static_cast<char>(log[log.size() / 2] ^ 0x20);
  CHECK(tail_of(log).records == 0);
}

TEST_CASE("the torn end of a group that was being written is no damage", "[crash]") {
  const std::size_t payload = GENERATE(300, 14'000);
  WrittenLog written(payload);
  const std::string log = written.log();
  for (std::size_t end = written.last_group() + 1; end < log.size(); end += 97) {
    INFO("cut at " << end << " of " << log.size());
    CHECK_FALSE(tail_of(log.substr(0, end)).damaged());
  }
  // Sectors that were not written read as zeros.
  for (std::size_t sector = written.last_group() / 512 + 1; (sector + 1) * 512 < log.size(); ++sector) {
    std::string holed = log;
    holed.replace(sector * 512, 512, 512, '\0');
    INFO("without sector " << sector);
    CHECK_FALSE(tail_of(holed).damaged());
  }
}

}  // namespace tideover::wal
