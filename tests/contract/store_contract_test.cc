// What every Store promises; wal/store.h says it in words.

#include "tests/contract/disks.h"
#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"

namespace tideover::wal {
namespace {

constexpr LaneId kMetrics{7};
constexpr LaneId kParked{9};
constexpr std::uint64_t kPlenty = 1 << 30;

std::vector<std::string> payloads(const ReadRange& range) {
  std::vector<std::string> out;
  for (const StoredRecord& record : range.records) out.emplace_back(record.payload());
  return out;
}

using Payloads = std::vector<std::string>;

}  // namespace

TEMPLATE_TEST_CASE("a new store is empty and has no meta", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->meta.empty());
  CHECK(image->tails.empty());
  CHECK_FALSE(image->meta_damaged);
}

TEMPLATE_TEST_CASE("nothing works before the store is open", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  CHECK(disk.store().commit({}).error().code == Errc::unavailable);
  CHECK(disk.store().read({kMetrics, Seq{1}, Seq{2}, kPlenty}).error().code == Errc::unavailable);
}

TEMPLATE_TEST_CASE("a record committed is readable at once", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a"), lane.put("b")})));
  const auto range = disk.store().read({kMetrics, Seq{1}, Seq{3}, kPlenty});
  REQUIRE(range);
  CHECK(payloads(*range) == Payloads{"a", "b"});
  CHECK(range->next == Seq{3});
  CHECK(range->records.back().through == Totals{2, 2, 2 * (kEnvelopeBytes + 1)});
}

TEMPLATE_TEST_CASE("a record acknowledged is readable after reopening", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a")}, {{"cursor/x", "1"}})));
  disk.lose_power();
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->meta == std::map<std::string, std::string>{{"cursor/x", "1"}});
  REQUIRE(image->tails.contains(kMetrics));
  CHECK(image->tails.at(kMetrics).seq == Seq{1});
  CHECK(payloads(*disk.store().read({kMetrics, Seq{1}, Seq{2}, kPlenty})) == Payloads{"a"});
}

TEMPLATE_TEST_CASE("meta is replaced by its newest value and removed by an empty one", "[store]", MemDisk,
                   RocksDisk) {
  TestType disk;
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({}, {{"kept", "old"}, {"gone", "x"}, {"other", "y"}})));
  REQUIRE(disk.store().commit(batch_of({}, {{"kept", "new"}, {"gone", ""}})));
  const std::map<std::string, std::string> expected{{"kept", "new"}, {"other", "y"}};
  CHECK(disk.store().open()->meta == expected);
  disk.lose_power();
  CHECK(disk.store().open()->meta == expected);
}

TEMPLATE_TEST_CASE("lanes do not see each other's records", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter metrics(kMetrics), parked(kParked);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({metrics.put("m1"), parked.put("p1"), metrics.put("m2")})));
  CHECK(payloads(*disk.store().read({kMetrics, Seq{1}, Seq{3}, kPlenty})) == Payloads{"m1", "m2"});
  CHECK(payloads(*disk.store().read({kParked, Seq{1}, Seq{2}, kPlenty})) == Payloads{"p1"});
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->tails.at(kMetrics).seq == Seq{2});
  CHECK(image->tails.at(kParked).seq == Seq{1});
}

TEMPLATE_TEST_CASE("the first and the last lane number have tails too", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter first(LaneId{0}), last(LaneId{~0U});
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({first.put("f"), last.put("l")})));
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->tails.at(LaneId{0}).payload() == "f");
  CHECK(image->tails.at(LaneId{~0U}).payload() == "l");
}

TEMPLATE_TEST_CASE("a read ends with the record that reaches its size", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a"), lane.put("b"), lane.put("c")})));
  const auto one = disk.store().read({kMetrics, Seq{1}, Seq{4}, 1});
  REQUIRE(one);
  CHECK(payloads(*one) == Payloads{"a"});
  CHECK(one->next == Seq{2});
  const auto two = disk.store().read({kMetrics, Seq{1}, Seq{4}, kEnvelopeBytes + 2});
  REQUIRE(two);
  CHECK(payloads(*two) == Payloads{"a", "b"});
  CHECK(two->next == Seq{3});
}

TEMPLATE_TEST_CASE("a read stops before the first record not wanted", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a"), lane.put("b"), lane.put("c")})));
  const auto range = disk.store().read({kMetrics, Seq{2}, Seq{3}, kPlenty});
  REQUIRE(range);
  CHECK(payloads(*range) == Payloads{"b"});
  CHECK(range->next == Seq{3});
}

TEMPLATE_TEST_CASE("a number without a record is passed over", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter before(kMetrics), after(kMetrics, Seq{5});
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({before.put("a"), after.put("e")})));
  const auto range = disk.store().read({kMetrics, Seq{1}, Seq{6}, kPlenty});
  REQUIRE(range);
  CHECK(payloads(*range) == Payloads{"a", "e"});
  CHECK(range->next == Seq{6});
  CHECK(disk.store().read({kMetrics, Seq{2}, Seq{5}, kPlenty})->next == Seq{5});
}

TEMPLATE_TEST_CASE("a record whose checksum fails is passed over, not returned", "[store]", MemDisk,
                   RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  auto good = lane.put("good");
  auto bad = lane.put("bad");
  std::string bytes = *bad.bytes;
  bytes.back() ^= 1;
  bad.bytes = std::make_shared<std::string>(bytes);
  REQUIRE(disk.store().commit(batch_of({good, bad})));
  const auto range = disk.store().read({kMetrics, Seq{1}, Seq{3}, kPlenty});
  REQUIRE(range);
  CHECK(payloads(*range) == Payloads{"good"});
  CHECK(range->next == Seq{3});
  CHECK(disk.store().open()->tails.at(kMetrics).seq == Seq{1});
}

TEMPLATE_TEST_CASE("released records do not come back into the way of newer ones", "[store]", MemDisk,
                   RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a"), lane.put("b"), lane.put("c")}, {{"cursor", "3"}})));
  disk.store().release(kMetrics, Seq{3});
  CHECK(payloads(*disk.store().read({kMetrics, Seq{3}, Seq{4}, kPlenty})) == Payloads{"c"});
  disk.lose_power();
  REQUIRE(disk.store().open());
  CHECK(payloads(*disk.store().read({kMetrics, Seq{3}, Seq{4}, kPlenty})) == Payloads{"c"});
}

TEMPLATE_TEST_CASE("what is kept in the midst of what was released stays, also behind a power cut", "[store]",
                   MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  StoreBatch batch;
  for (const char* payload : {"a", "b", "c", "d", "e", "f"}) batch.records.push_back(lane.put(payload));
  REQUIRE(disk.store().commit(batch));
  for (int life = 0; life < 2; ++life) {
    disk.store().release(kMetrics, {Seq{6}, {{Seq{2}, Seq{3}}, {Seq{4}, Seq{5}}}});
    CHECK(payloads(*disk.store().read({kMetrics, Seq{2}, Seq{3}, kPlenty})) == Payloads{"b"});
    CHECK(payloads(*disk.store().read({kMetrics, Seq{4}, Seq{5}, kPlenty})) == Payloads{"d"});
    CHECK(payloads(*disk.store().read({kMetrics, Seq{6}, Seq{7}, kPlenty})) == Payloads{"f"});
    disk.lose_power();
    const auto image = disk.store().open();
    REQUIRE(image);
    CHECK(image->tails.at(kMetrics).seq == Seq{6});
    CHECK(image->heads.at(kMetrics).seq <= Seq{2});
  }
}

TEMPLATE_TEST_CASE("a store that is open can be opened again", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a")})));
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("b")})));
  CHECK(payloads(*disk.store().read({kMetrics, Seq{1}, Seq{3}, kPlenty})) == Payloads{"a", "b"});
}

TEMPLATE_TEST_CASE("a group larger than one log record is read back whole", "[store]", MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  StoreBatch group;
  Payloads written;
  for (int i = 0; i < 40; ++i) {
    written.push_back(std::string(60'000, static_cast<char>('a' + i % 26)));
    group.records.push_back(lane.put(written.back()));
  }
  group.meta.emplace_back("commit", "1");
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(group));
  CHECK(payloads(*disk.store().read({kMetrics, Seq{1}, Seq{41}, kPlenty})) == written);
  disk.lose_power();
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->meta == std::map<std::string, std::string>{{"commit", "1"}});
  CHECK(image->tails.at(kMetrics).seq == Seq{40});
  CHECK(payloads(*disk.store().read({kMetrics, Seq{1}, Seq{41}, kPlenty})) == written);
}

TEMPLATE_TEST_CASE("the first and the last intact record of every lane are found", "[store]", MemDisk,
                   RocksDisk) {
  TestType disk;
  LaneWriter metrics(kMetrics), parked(kParked);
  REQUIRE(disk.store().open());
  auto bad = metrics.put("bad");
  std::string bytes = *bad.bytes;
  bytes.back() ^= 1;
  bad.bytes = std::make_shared<std::string>(bytes);
  REQUIRE(disk.store().commit(batch_of({bad, metrics.put("m2"), parked.put("p1"), metrics.put("m3")})));
  disk.lose_power();
  const auto image = disk.store().open();
  REQUIRE(image);
  REQUIRE(image->heads.size() == 2);
  CHECK(image->heads.at(kMetrics).payload() == "m2");
  CHECK(image->heads.at(kParked).payload() == "p1");
  CHECK(image->tails.at(kMetrics).payload() == "m3");
  CHECK(before(image->heads.at(kMetrics)).units == 1);
}

TEMPLATE_TEST_CASE("a record under another's number is passed over, and is neither first nor last", "[store]",
                   MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  auto first = lane.put("a"), second = lane.put("b"), third = lane.put("c");
  const auto of_second = second.bytes;
  first.bytes = third.bytes = of_second;
  REQUIRE(disk.store().commit(batch_of({first, second, third})));
  const auto range = disk.store().read({kMetrics, Seq{1}, Seq{4}, kPlenty});
  REQUIRE(range);
  CHECK(payloads(*range) == Payloads{"b"});
  const auto image = disk.store().open();
  CHECK(image->heads.at(kMetrics).seq == Seq{2});
  CHECK(image->tails.at(kMetrics).seq == Seq{2});
}

TEMPLATE_TEST_CASE("what is anchored outlives the loss of every log, and what is not does not", "[store]",
                   MemDisk, RocksDisk) {
  const bool anchored = GENERATE(true, false);
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  StoreBatch births = batch_of({}, {{"cursor/x", "1"}});
  births.anchor = anchored;
  REQUIRE(disk.store().commit(births));
  REQUIRE(disk.store().commit(batch_of({lane.put("a")})));
  disk.lose_logs();
  const auto image = disk.store().open();
  REQUIRE(image);
  CHECK(image->meta.contains("cursor/x") == anchored);
  CHECK(image->tails.empty());
}

TEMPLATE_TEST_CASE("a lane at rest may be released again and again, and keeps its last record", "[store]",
                   MemDisk, RocksDisk) {
  TestType disk;
  LaneWriter lane(kMetrics);
  REQUIRE(disk.store().open());
  REQUIRE(disk.store().commit(batch_of({lane.put("a"), lane.put("b")})));
  for (int i = 0; i < 3; ++i) disk.store().release(kMetrics, Seq{2});
  CHECK(payloads(*disk.store().read({kMetrics, Seq{2}, Seq{3}, kPlenty})) == Payloads{"b"});
  disk.lose_power();
  CHECK(disk.store().open()->tails.at(kMetrics).payload() == "b");
}

}  // namespace tideover::wal
