// How records of lines become pushes: nothing is altered, each stream keeps its order, and of streams that
// are not sure each one is the last of its push.
#include "forwarders/loki/loki_destination.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "forwarders/loki/log_record.h"
#include "forwarders/remote_write/snappy.h"
#include "tests/support/push_oracle.h"
#include "tests/unit/forwarders/loki/log_records.h"
#include "wal/base/rng.h"

namespace tideover::loki {
namespace {

using forward::Memory;
using forward::Outgoing;
using forward::Part;
using test::PushedEntry;
using test::PushedStreams;
using namespace std::chrono_literals;

constexpr std::int64_t kStart = 1'790'000'000LL * 1'000'000'000;
const Time kNow{1h};

wal::StoredRecord record_of(const PushedStreams& streams) {
  return test::stored_record_of(streams, 1'790'000'000'000);
}

PushedStreams read_push(std::string_view body) {
  std::string raw;
  REQUIRE(remote_write::decompress(body, kRecordRawBytesMax, raw).has_value());
  auto streams = test::pushed_as_generated_code_reads(raw);
  REQUIRE(streams.has_value());
  return *streams;
}

using Lines = std::map<std::string, std::vector<PushedEntry>>;  // by stream, in order
void add(Lines& lines, const PushedStreams& streams) {
  for (const auto& stream : streams) {
    auto& of = lines[stream.labels];
    of.insert(of.end(), stream.entries.begin(), stream.entries.end());
  }
}

PushedEntry entry(std::int64_t second, std::string line) {
  PushedEntry e;
  e.ns = kStart + second * 1'000'000'000;
  e.line = std::move(line);
  return e;
}

// Sends a batch as the machine does: what must be cut is cut, each push is answered 204.
std::vector<PushedStreams> send_all(const LokiDestination& destination,
                                    const std::vector<wal::StoredRecord>& records, Memory& memory, Time now) {
  const auto load = destination.load(records);
  std::vector<Part> parts = {Part{}};
  std::vector<PushedStreams> pushes;
  while (!parts.empty()) {
    const Part part = parts.back();
    parts.pop_back();
    const auto ends = load->borders(part, memory, now);
    if (!ends.empty()) {
      for (auto end = ends.rbegin(); end != ends.rend(); ++end)
        parts.push_back({std::next(end) == ends.rend() ? part.first : *std::next(end), *end});
      continue;
    }
    auto out = load->encode(part, 0, memory);
    REQUIRE(out.has_value());
    pushes.push_back(read_push(out->request.body));
    http::Response response;
    response.status = 204;
    const auto verdict = destination.classify(out->sent, response, {}, memory);
    REQUIRE(verdict.action == forward::Action::advance);
    destination.learn(out->sent, verdict, memory, now);
  }
  return pushes;
}

const PushedStreams kThree = {{"{a=\"1\"}", {entry(0, "one"), entry(1, "two")}},
                              {"{a=\"2\"}", {entry(0, "three")}},
                              {"{a=\"3\"}", {entry(2, "four"), entry(2, "five")}}};

TEST_CASE("streams that the receiver is not known to have go one by one, then all together") {
  const LokiDestination destination({});
  Memory memory;
  const auto first = send_all(destination, {record_of(kThree)}, memory, kNow);
  REQUIRE(first.size() == 3);
  for (const auto& push : first) CHECK(push.size() == 1);
  CHECK(send_all(destination, {record_of(kThree)}, memory, kNow + 1s).size() == 1);
}

TEST_CASE("a stream that is new travels as the last of a push of those that are known") {
  const LokiDestination destination({});
  Memory memory;
  send_all(destination, {record_of(kThree)}, memory, kNow);
  PushedStreams more = {{"{a=\"new\"}", {entry(0, "x")}}};
  more.insert(more.end(), kThree.begin(), kThree.end());
  const auto pushes = send_all(destination, {record_of(more)}, memory, kNow + 1s);
  REQUIRE(pushes.size() == 1);
  CHECK(pushes[0].back().labels == "{a=\"new\"}");
}

TEST_CASE("a lone record of known streams goes out byte for byte") {
  LokiOptions options;
  options.tenant = "blue";
  const LokiDestination destination(options);
  Memory memory;
  send_all(destination, {record_of(kThree)}, memory, kNow);
  const auto load = destination.load({record_of(kThree)});
  REQUIRE(load->borders({}, memory, kNow + 1s).empty());
  const auto out = load->encode({}, 0, memory);
  REQUIRE(out.has_value());
  CHECK(out->request.body == record_of(kThree).payload());
  CHECK(out->sent.units == 5);
  CHECK(out->request.method == "POST");
  CHECK(out->request.headers.find("Content-Type") == "application/x-protobuf");
  CHECK(out->request.headers.find("X-Scope-OrgID") == "blue");
}

TEST_CASE("a part that was safe to send whole is cut once the receiver has refused something") {
  const LokiDestination destination({});
  Memory memory;
  send_all(destination, {record_of(kThree)}, memory, kNow);
  const auto load = destination.load({record_of(kThree)});
  REQUIRE(load->borders({}, memory, kNow + 1s).empty());
  const auto out = load->encode({}, 0, memory);
  for (const int status : {429, 503, 400, 260, 401}) {
    Memory then = memory;
    http::Response response;
    response.status = status;
    destination.learn(out->sent, destination.classify(out->sent, response, {}, then), then, kNow + 1s);
    CAPTURE(status);
    CHECK(load->borders({}, then, kNow + 1s).size() == 3);
    CHECK(load->borders({1, 5}, then, kNow + 1s) == std::vector<std::size_t>{2, 3, 5});
  }
}

TEST_CASE("whatever is cut and merged, every stream keeps all of its entries in their order") {
  const LokiDestination destination({});
  const auto seed = GENERATE(range(1u, 60u));
  Rng rng(seed);
  Memory memory;
  Time now = kNow;
  std::int64_t second = 0;
  Lines stored;
  Lines received;
  for (int round = 0; round < 10; ++round) {
    std::vector<wal::StoredRecord> records;
    for (std::uint64_t n = 1 + rng.below(3); n > 0; --n) {
      PushedStreams streams;
      for (std::uint64_t s = 1 + rng.below(6); s > 0; --s) {
        auto& stream = streams.emplace_back();
        stream.labels = "{a=\"" + std::to_string(rng.below(12)) + "\"}";
        for (std::uint64_t e = 1 + rng.below(4); e > 0; --e) {
          stream.entries.push_back(entry(second, std::to_string(second)));
          if (rng.chance(0.3)) stream.entries.back().metadata.emplace_back("trace", std::to_string(second));
          ++second;
        }
      }
      add(stored, streams);
      records.push_back(record_of(streams));
    }
    for (const auto& push : send_all(destination, records, memory, now)) add(received, push);
    now += std::chrono::seconds(rng.below(400));
    if (rng.chance(0.1)) memory = {};
  }
  CHECK(stored == received);
}

TEST_CASE("what is carved holds the entries of its part and says what they are") {
  const LokiDestination destination({});
  const auto load = destination.load({record_of(kThree)});
  REQUIRE(load->items() == 5);
  Lines carved;
  for (const Part part : {Part{0, 1}, Part{1, 4}, Part{4, 5}})
    for (const wal::NewRecord& record : load->carve(part)) {
      CHECK(record.attributes.encoding == static_cast<std::uint16_t>(Encoding::push));
      CHECK(record.attributes.units == part.items());
      CHECK(record.attributes.arrival_ms == 1'790'000'000'000);
      CHECK(record.attributes.raw_bytes > 0);
      add(carved, read_push(record.payload()));
    }
  Lines whole;
  add(whole, kThree);
  CHECK(carved == whole);
  const auto middle = load->carve({1, 4});
  CHECK(middle.at(0).attributes.oldest_ms == kStart / 1'000'000);
  CHECK(middle.at(0).attributes.newest_ms == kStart / 1'000'000 + 2000);
  CHECK(load->describe({3, 4}) == "{a=\"3\"} at 1790000002000000000 ns");
}

TEST_CASE("a record that does not decode goes alone and as it is") {
  const LokiDestination destination({});
  wal::StoredRecord broken = record_of(kThree);
  broken.bytes = std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0') + "\x05nonsense");
  const auto load = destination.load({broken, record_of(kThree)});
  CHECK(load->items() == 2);
  CHECK(load->borders({}, {}, kNow).empty());
  CHECK(load->encode({}, 0, {}).has_error());
  const auto out = load->encode({0, 1}, 0, {});
  REQUIRE(out.has_value());
  CHECK(out->request.body == broken.payload());
  CHECK(load->units({1, 2}) == 5);
  CHECK(load->carve({0, 1}).at(0).payload() == broken.payload());
}

TEST_CASE("as many records share a push as its limits allow, and at least one") {
  const LokiDestination destination({});
  const std::vector<wal::StoredRecord> records(5, record_of(kThree));
  CHECK(destination.plan(records, {.units = 12, .raw_bytes = 1 << 20}) == 2);
  CHECK(destination.plan(records, {.units = 1, .raw_bytes = 1 << 20}) == 1);
  CHECK(destination.plan(records, {.units = 1000, .raw_bytes = records[0].attributes.raw_bytes * 3}) == 3);
}

}  // namespace
}  // namespace tideover::loki
