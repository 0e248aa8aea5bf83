// Records found by their envelopes alone, in bytes that have lost their structure.
#include "wal/rocks/record_salvage.h"

#include <fstream>

#include "tests/support/catch_result.h"
#include "tests/support/lane_writer.h"
#include "tests/support/temp_directory.h"
#include "wal/rocks/careful_reader.h"
#include "wal/rocks/log_rescue.h"
#include "wal/rocks/write_batch_format.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

using Payloads = std::vector<std::string>;

constexpr LaneId kLane{7};

// As a table has it: the key, RocksDB's eight bytes, the value.
std::string entry(const StoreBatch::Put& put) {
  return record_key(put.lane, put.seq) + std::string(8, '\1') + *put.bytes;
}

struct Table {
  TempDirectory root;
  CarefulReader reader{root.path(), {}};
  std::vector<LaneId> lanes;

  Payloads records(const std::string& bytes, std::size_t at_most = 100) {
    std::ofstream(root / "table", std::ios::binary) << bytes;
    Payloads found;
    const auto searched = salvage_table(reader, root / "table", [&](LaneId lane, const StoredRecord& record) {
      lanes.push_back(lane);
      found.emplace_back(record.payload());
      return found.size() < at_most;
    });
    REQUIRE(searched);
    return found;
  }
};

TEST_CASE("every intact record of a table is found, in whatever lies between them") {
  Table table;
  LaneWriter lane(kLane), other(LaneId{9});
  const std::string bytes =
      "xy" + entry(lane.put("a")) + entry(lane.put("b")) + "some bytes" + entry(other.put("c"));
  CHECK(table.records(bytes) == Payloads{"a", "b", "c"});
  CHECK(table.lanes == std::vector{kLane, kLane, LaneId{9}});
  CHECK(table.records(bytes, 2) == Payloads{"a", "b"});
  CHECK(table.records(bytes.substr(2)) == Payloads{"a", "b", "c"});
}

TEST_CASE("a damaged record hides none of its neighbours, and is not found") {
  LaneWriter lane(kLane);
  const std::string first = entry(lane.put("a")), hit = entry(lane.put("hit")), last = entry(lane.put("c"));
  Table table;
  for (std::size_t at = 12 + 8; at < hit.size(); ++at) {
    std::string damaged = hit;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x11);
    INFO("byte " << at);
    CHECK(table.records(first + damaged + last) == Payloads{"a", "c"});
  }
}

TEST_CASE("a record under another record's key, cut off or without a key is not found") {
  LaneWriter lane(kLane);
  const auto first = lane.put("a"), second = lane.put("b");
  Table table;
  CHECK(table.records(record_key(kLane, Seq{2}) + std::string(8, '\1') + *first.bytes).empty());
  CHECK(table.records(*second.bytes).empty());
  const std::string whole = entry(second);
  CHECK(table.records(whole.substr(0, whole.size() - 1)).empty());
  CHECK(table.records("").empty());
}

TEST_CASE("a table that is not there holds nothing, and one that cannot be read is an error") {
  Table table;
  CHECK(salvage_table(table.reader, table.root / "gone", [](LaneId, const StoredRecord&) { return true; }));
  CHECK(salvage_table(table.reader, table.root.path() + "/x/..",
                      [](LaneId, const StoredRecord&) { return true; }));
  CHECK(salvage_table(table.reader, table.root.path(), [](LaneId, const StoredRecord&) { return true; })
            .error()
            .code == Errc::io_error);
}

// ------------------------------------------------------------------------------------------------ write
// batches

std::string batch_with(const std::vector<StoreBatch::Put>& puts, std::uint64_t sequence = 100) {
  BatchBuilder batch;
  for (const StoreBatch::Put& put : puts) batch.put(3, record_key(put.lane, put.seq), *put.bytes);
  return batch.finish(sequence);
}

TEST_CASE("a batch is read as it was written, and only where all of it is there") {
  BatchBuilder builder;
  builder.put(3, "key", "value");
  builder.put(300, "", std::string(200, 'v'));
  CHECK(builder.count() == 2);
  const std::string bytes = builder.finish(77);
  CHECK(builder.count() == 0);
  BatchReader reader(bytes);
  REQUIRE(reader.has_header());
  CHECK(reader.sequence() == 77);
  CHECK(reader.count() == 2);
  auto operation = reader.next();
  REQUIRE(operation);
  CHECK(operation->put);
  CHECK(operation->family == 3);
  CHECK(operation->key == "key");
  CHECK(operation->value == "value");
  operation = reader.next();
  REQUIRE(operation);
  CHECK(operation->family == 300);
  CHECK(operation->key.empty());
  CHECK(operation->value == std::string(200, 'v'));
  CHECK_FALSE(reader.next());
  CHECK(batch_extent(bytes) == bytes.size());
  CHECK(batch_extent(bytes + "more") == bytes.size());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(batch_extent(bytes.substr(0, size)));
  CHECK_FALSE(batch_extent(BatchBuilder().finish(1)));  // of nothing
}

TEST_CASE("removals are read, in a family and in none, and other operations are not") {
  const auto batch = [](std::string_view operation) {
    return BatchBuilder().finish(1).replace(8, 1, "\1") + std::string(operation);
  };
  const std::string plain = batch(std::string("\0\1k", 3)), named = batch("\4\2\1k");
  CHECK(batch_extent(plain) == plain.size());
  CHECK(batch_extent(named) == named.size());
  BatchReader reader(named);
  const auto removal = reader.next();
  REQUIRE(removal);
  CHECK_FALSE(removal->put);
  CHECK(removal->family == 2);
  CHECK(removal->key == "k");
  CHECK_FALSE(batch_extent(batch("\2\1k")));  // a merge
}

TEST_CASE("of a damaged batch whose structure is whole each record that is lost is known") {
  LaneWriter lane(kLane);
  std::string batch = batch_with({lane.put("aaaa"), lane.put("bbbb"), lane.put("cccc")});
  batch[batch.find("bbbb")] = 'x';
  const LogRescue rescue = rescue_records(batch);
  CHECK(rescue.records.size() == 2);
  CHECK(rescue.lost == 1);
}

TEST_CASE("where the structure is lost records are found by their envelopes, with their keys") {
  LaneWriter lane(kLane);
  std::string batch = batch_with({lane.put("aaaa"), lane.put("bbbb"), lane.put("cccc")});
  batch[8] = 9;  // it says that it holds more
  LogRescue rescue = rescue_records(batch);
  REQUIRE(rescue.records.size() == 3);
  CHECK(rescue.lost == 0);
  CHECK(rescue.records[1].family == 3);
  CHECK(rescue.records[1].key == record_key(kLane, Seq{2}));
  batch[batch.find("bbbb")] = 'x';
  rescue = rescue_records(batch);
  CHECK(rescue.records.size() == 2);
  CHECK(rescue.lost == 1);
}

TEST_CASE("an envelope that is damaged anywhere, its length included, hides no record behind it") {
  LaneWriter lane(kLane);
  const auto a = lane.put("aaaa"), b = lane.put("bbbb"), c = lane.put("cccc");
  const std::string whole = batch_with({a, b, c});
  const std::size_t begin = whole.find(*b.bytes);
  for (std::size_t at = begin; at < begin + b.bytes->size(); ++at)
    for (const int bit : {0x01, 0x08, 0x80}) {
      std::string batch = whole;
      batch[8] = 9;
      batch[at] = static_cast<char>(batch[at] ^ bit);
      INFO("byte " << at - begin << ", bit " << bit);
      CHECK(rescue_records(batch).records.size() == 2);
    }
}

TEST_CASE("a record that stands under another's key is lost") {
  LaneWriter lane(kLane);
  auto first = lane.put("a");
  const auto second = lane.put("b");
  first.bytes = second.bytes;
  const LogRescue rescue = rescue_records(batch_with({first, second}));
  CHECK(rescue.records.size() == 1);
  CHECK(rescue.lost == 1);
}

TEST_CASE("what cannot be read hides a record, and none beside it") {
  LaneWriter lane(kLane);
  std::vector<StoreBatch::Put> puts;
  for (const char letter : {'a', 'b', 'c', 'd'}) puts.push_back(lane.put(std::string(100, letter)));
  const auto hidden = static_cast<std::size_t>(GENERATE(0, 1, 2, 3));
  std::string batch = batch_with(puts);
  const std::string& value = *puts[hidden].bytes;
  batch.replace(batch.find(value), value.size(), value.size(), '\xdb');
  batch[8] = 9;
  const LogRescue rescue = rescue_records(batch);
  CHECK(rescue.records.size() == 3);
  CHECK(rescue.lost == 1);
}

}  // namespace
}  // namespace tideover::wal
