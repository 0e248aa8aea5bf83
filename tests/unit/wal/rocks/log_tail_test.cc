// The end of a log: torn while it was written, which nobody was told of, or damaged afterwards.
#include "wal/rocks/log_tail.h"

#include <catch2/catch.hpp>

#include "tests/support/log_end.h"
#include "tests/unit/wal/rocks/written_log.h"

namespace tideover::wal {
namespace {

constexpr LaneId kLane{7};
constexpr std::size_t kSector = 512;

// Three groups; the last one has three records, which fit a block or reach over several.
struct Ending {
  explicit Ending(std::size_t payload) {
    Groups groups(kLane);
    log.append(groups.group({"first"}));
    log.append(groups.group({"second"}));
    last = log.append(
        groups.group({std::string(payload, 'a'), std::string(payload, 'b'), std::string(payload, 'c')}));
  }
  WrittenLog log;
  Place last;
};

TEST_CASE("a log that ends well has no damage at its end") {
  const Ending ending(GENERATE(300, 20'000));
  const LogTail tail = tail_of(ending.log.bytes);
  CHECK_FALSE(tail.damaged());
  CHECK(tail.records == 0);
}

TEST_CASE("a record changed in the last group is damage from the group's beginning to its end, and counted") {
  const std::size_t payload = GENERATE(300, 20'000);
  Ending ending(payload);
  const int record = GENERATE(0, 1, 2);
  ending.log.flip(ending.log.bytes.find(std::string(100, static_cast<char>('a' + record))) + 50);
  const LogTail tail = tail_of(ending.log.bytes);
  CHECK(tail.begin == ending.last.begin);
  CHECK(tail.end == ending.last.end);
  CHECK(tail.records == 1);
}

TEST_CASE("a changed header of the last group is damage, and costs none of its records") {
  Ending ending(GENERATE(300, 20'000));
  ending.log.flip(ending.last.begin + GENERATE(range(0U, 7U)));
  const LogTail tail = tail_of(ending.log.bytes);
  CHECK(tail.damaged());
  CHECK(tail.records == 0);
}

TEST_CASE("a last group whose batch cannot be read ends where its fragments say") {
  Ending ending(GENERATE(300, 20'000));
  ending.log.flip(ending.last.begin + kLogHeader + 9);  // the number of its operations
  const LogTail tail = tail_of(ending.log.bytes);
  CHECK(tail.begin == ending.last.begin);
  CHECK(tail.end == ending.last.end);
  CHECK(tail.records == 0);
}

TEST_CASE("damaged groups at the end are counted across the end of a block") {
  const std::size_t left = GENERATE(0, 3, 6, 7, 50);
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  const std::size_t overhead =
      kLogHeader + groups.group({""}).size() + 2;  // the length of more takes two bytes more
  const Place one =
      log.append(groups.group({std::string(kLogBlock - log.bytes.size() - overhead - left, 'a')}));
  REQUIRE(one.end == kLogBlock - left);
  const Place two = log.append(groups.group({std::string(300, 'b')}));
  log.flip(one.begin + 200);
  log.flip(two.begin + 200);
  const LogTail tail = tail_of(log.bytes);
  CHECK(tail.begin == one.begin);
  CHECK(tail.end == two.end);
  CHECK(tail.records == 2);
}

TEST_CASE("a last group that was cut anywhere is torn") {
  Ending ending(GENERATE(300, 20'000));
  const std::size_t step = (ending.last.end - ending.last.begin) / 50;
  for (std::size_t size = ending.last.end - 1; size > ending.last.begin; size -= std::min(step, size)) {
    INFO("cut at " << size << " of " << ending.last.end);
    CHECK_FALSE(tail_of(std::string_view(ending.log.bytes).substr(0, size)).damaged());
  }
}

TEST_CASE("a last group with any sector blank is torn") {
  Ending ending(GENERATE(300, 20'000));
  const std::size_t sectors = ending.last.end / kSector;
  for (std::size_t sector = ending.last.begin / kSector + 1; sector <= sectors; ++sector) {
    const std::size_t at = sector * kSector, size = std::min(kSector, ending.last.end - at);
    std::string holed = ending.log.bytes;
    holed.replace(at, size, size, '\0');
    INFO("without sector " << sector << " of " << sectors);
    CHECK_FALSE(tail_of(holed).damaged());
  }
}

TEST_CASE("what cannot be read at the end was written, and so was what lies before it") {
  Ending ending(GENERATE(300, 20'000));
  ending.log.make_unreadable({ending.last.begin, ending.last.end});
  const LogTail tail = tail_of(ending.log.bytes);
  CHECK(tail.begin == ending.last.begin);
  CHECK(tail.end == ending.log.bytes.size());
  CHECK(tail.records >= 1);
}

TEST_CASE("two damaged groups at the end are both counted, and a torn one behind them is not") {
  const bool torn = GENERATE(false, true);
  Groups groups(kLane);
  WrittenLog log;
  log.append(groups.group({"first"}));
  const Place one = log.append(groups.group({std::string(300, 'a')}));
  const Place two = log.append(groups.group({std::string(300, 'b')}));
  log.flip(one.begin + 200);
  log.flip(two.begin + 200);
  if (torn) {
    const Place cut = log.append(groups.group({std::string(2000, 'c')}));
    log.bytes.resize(cut.end - 700);
  }
  const LogTail tail = tail_of(log.bytes);
  CHECK(tail.begin == one.begin);
  CHECK(tail.end == two.end);
  CHECK(tail.records == 2);
}

TEST_CASE("damage that intact groups follow is not at the end") {
  Groups groups(kLane);
  WrittenLog log;
  const Place hit = log.append(groups.group({"first"}));
  log.append(groups.group({std::string(kLogBlock, 'b')}));
  log.flip(hit.begin + 60);
  const LogTail tail = tail_of(log.bytes);
  CHECK_FALSE(tail.damaged());
  CHECK(tail.records == 0);
}

}  // namespace
}  // namespace tideover::wal
