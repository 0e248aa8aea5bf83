#include <catch2/catch.hpp>
#include <snappy.h>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/capture.h"
#include "tests/support/write_request_builder.h"
#include "wal/base/rng.h"

namespace tideover::remote_write {
namespace {

using test::contents_of;
using test::from_bits;
using test::joined;
using test::snappy_plain;
using test::stored_records;
using test::WriteRequest;

// Bytes that snappy meets in practice: fresh ones, runs, and repeats from far back.
std::string random_bytes(Rng& rng, std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::size_t length = 1 + rng.below(300);
    if (rng.chance(0.4) && !bytes.empty()) {
      const std::size_t from = rng.below(bytes.size());
      for (std::size_t i = 0; i < length; ++i) bytes += bytes[from + i % (bytes.size() - from)];
    } else if (rng.chance(0.5)) {
      bytes.append(length, static_cast<char>(rng.next()));
    } else {
      for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(rng.next());
    }
  }
  bytes.resize(size);
  return bytes;
}

// A record whose payload is any bytes at all: merging 1.0 looks at no message.
wal::StoredRecord record_of_bytes(const std::string& raw) {
  wal::StoredRecord record;
  record.attributes.encoding = static_cast<std::uint16_t>(Version::v1);
  record.attributes.flags = kSorted;
  record.bytes =
      std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0') + test::snappy_block(raw));
  return record;
}

wal::StoredRecord record_with(Version version, std::uint16_t flags, std::uint32_t units,
                              std::uint32_t raw_bytes) {
  wal::StoredRecord record;
  record.attributes.encoding = static_cast<std::uint16_t>(version);
  record.attributes.flags = flags;
  record.attributes.units = units;
  record.attributes.raw_bytes = raw_bytes;
  return record;
}

TEST_CASE("a lone record goes out byte for byte as it was stored") {
  for (const Version version : {Version::v1, Version::v2}) {
    const std::string raw = WriteRequest().series({{"__name__", "up"}}).sample(1000, 1).encode(version);
    const auto records = stored_records({raw}, version);
    const Result<Encoded> merged = merge(records);
    REQUIRE(merged.has_value());
    CHECK(merged->body == records[0].payload());
    CHECK(merged->units == 1);
    CHECK(merged->counts.floats == 1);
    CHECK(merged->oldest_ms == 1000);
    CHECK(merged->newest_ms == 1000);
  }
}

TEST_CASE("snappy blocks joined without decompression decode to their contents joined") {
  Rng rng(20251120);
  for (int round = 0; round < 200; ++round) {
    std::vector<wal::StoredRecord> records;
    std::string expected;
    const std::size_t count = 1 + rng.below(6);
    for (std::size_t i = 0; i < count; ++i) {
      // Empty ones, small ones, and ones that span several of snappy's 64 KiB windows.
      const std::size_t size = rng.chance(0.1)   ? 0
                               : rng.chance(0.3) ? 60'000 + rng.below(200'000)
                                                 : rng.below(5'000);
      const std::string raw = random_bytes(rng, size);
      records.push_back(record_of_bytes(raw));
      expected += raw;
    }
    const Result<Encoded> merged = merge(records);
    REQUIRE(merged.has_value());
    REQUIRE(::snappy::IsValidCompressedBuffer(merged->body.data(), merged->body.size()));
    REQUIRE(snappy_plain(merged->body) == expected);
  }
}

TEST_CASE("a merge says what its records say, in their order") {
  const Version version = GENERATE(Version::v1, Version::v2);
  WriteRequest one;
  one.series({{"__name__", "up"}, {"job", "node"}}).sample(1000, 1.5, 10).stale(2000);
  one.metadata({"up", 2, "Whether it is up.", "ratio"});
  one.exemplar({{"trace", "abc"}}, 0.25, 999);
  WriteRequest two;
  two.series({{"__name__", "rpc"}, {"job", "node"}}).histogram(test::valid_histogram(3000));
  two.series({{"__name__", "up"}, {"job", "node"}}).sample(3000, from_bits(0x7ff8dead00000001));
  two.exemplar({{"job", "abc"}, {"zone", "up"}}, -1, 3000);
  const std::vector<std::string> raws{one.encode(version), two.encode(version), one.encode(version)};

  const Result<Encoded> merged = merge(stored_records(raws, version));
  REQUIRE(merged.has_value());
  CHECK(contents_of(snappy_plain(merged->body), version) == joined(raws, version));
  CHECK(merged->units == 6);
  CHECK(merged->counts.floats == 5);
  CHECK(merged->counts.histograms == 1);
  CHECK(merged->counts.exemplars == 3);
  CHECK(merged->oldest_ms == 1000);
  CHECK(merged->newest_ms == 3000);
  CHECK(scan(snappy_plain(merged->body), version)->clean());
}

TEST_CASE("the fields of a series of 2.0 are merged in whatever order they came") {
  const auto field = [](std::uint32_t number, std::string_view bytes) {
    std::string out;
    wire::put_bytes(out, number, bytes);
    return out;
  };
  const auto table = [&field](std::string_view first) {
    std::string out = field(4, "");
    for (const std::string_view symbol : {first, std::string_view("__name__"), std::string_view("up")})
      out += field(4, symbol);
    return out;
  };
  const std::string labels = field(1, "\x02\x03");
  const std::string sample = field(2, "\x10\x01"), exemplar = field(4, "\x0a\x02\x01\x03\x18\x05");
  const std::string help = field(5, "\x08\x02\x18\x01");
  const std::string bare = field(4, "\x18\x01");  // an exemplar without labels, which reads like metadata
  std::vector<std::string> raws = {table("another") + field(5, labels + sample)};
  for (const std::string& series :
       {labels + help + sample, labels + sample + help + sample, labels + help + exemplar + sample,
        labels + exemplar + help, labels + sample + bare, labels + bare + sample, help + labels + sample,
        sample + help + labels})
    raws.push_back(table("a help text") + field(5, series));
  const Result<Encoded> merged = merge(stored_records(raws, Version::v2));
  REQUIRE(merged.has_value());
  CHECK(contents_of(snappy_plain(merged->body), Version::v2) == joined(raws, Version::v2));
}

TEST_CASE("a merge of captured requests says what they say") {
  const Version version = GENERATE(Version::v1, Version::v2);
  std::vector<std::string> raws;
  for (auto& request : test::read_capture(version, 12)) raws.push_back(std::move(request.body));
  const Result<Encoded> merged = merge(stored_records(raws, version));
  REQUIRE(merged.has_value());
  CHECK(contents_of(snappy_plain(merged->body), version) == joined(raws, version));
}

TEST_CASE("a merge of 2.0 holds each symbol once") {
  const std::string raw =
      WriteRequest().series({{"__name__", "up"}, {"job", "node"}}).sample(1, 1).encode(Version::v2);
  const Result<Encoded> merged = merge(stored_records({raw, raw, raw}, Version::v2));
  REQUIRE(merged.has_value());
  const std::string message = snappy_plain(merged->body);
  for (const std::string_view symbol : {"__name__", "up", "job", "node"}) {
    const std::size_t first = message.find(symbol);
    REQUIRE(first != std::string::npos);
    CHECK(message.find(symbol, first + 1) == std::string::npos);
  }
}

TEST_CASE("records pass through only when nothing about them has to change") {
  const auto good = record_with(Version::v1, kSorted, 1, 1);
  CHECK(passes_through(std::vector{good, good}, Version::v1, {}));
  CHECK_FALSE(passes_through(std::vector{good, good}, Version::v2, {}));
  CHECK_FALSE(passes_through(std::vector{good, good}, Version::v1, {{"cluster", "app1"}}));
  CHECK_FALSE(passes_through(std::vector{good, record_with(Version::v1, 0, 1, 1)}, Version::v1, {}));
  CHECK_FALSE(passes_through(std::vector{good, record_with(Version::v2, kSorted, 1, 1)}, Version::v1, {}));
  CHECK(passes_through(std::vector{record_with(Version::v2, kSorted, 1, 1)}, Version::v2, {}));
}

// Seen at a Thanos that was restarted: the marker was answered 200, and is gone.
TEST_CASE("a stale marker and a histogram that came later do not share a request") {
  const auto floats = record_with(Version::v1, kSorted, 10, 100);
  const auto stale = record_with(Version::v1, kSorted | kStaleMarkers, 10, 100);
  auto histograms = floats;
  histograms.attributes.tallies[kHistograms] = 1;
  auto both = stale;
  both.attributes.tallies[kHistograms] = 1;
  CHECK(mergeable(std::vector{floats, stale, floats, histograms, floats}, 1000, 10'000) == 3);
  CHECK(mergeable(std::vector{histograms, stale, stale, floats}, 1000, 10'000) == 4);
  CHECK(mergeable(std::vector{both, histograms}, 1000, 10'000) == 1);  // as it came itself, it goes
  CHECK(mergeable(std::vector{histograms, both, both}, 1000, 10'000) == 2);
}

TEST_CASE("a request takes records up to its limits, and always one") {
  const auto small = record_with(Version::v1, kSorted, 10, 100);
  const auto large = record_with(Version::v1, kSorted, 1000, 10'000);
  const auto other = record_with(Version::v2, kSorted, 1, 1);
  CHECK(mergeable(std::vector{small, small, small}, 30, 1000) == 3);
  CHECK(mergeable(std::vector{small, small, small}, 29, 1000) == 2);
  CHECK(mergeable(std::vector{small, small, small}, 30, 299) == 2);
  CHECK(mergeable(std::vector{large, small}, 30, 1000) == 1);
  CHECK(mergeable(std::vector{small, other, small}, 30, 1000) == 1);
  CHECK(mergeable(std::vector<wal::StoredRecord>{}, 30, 1000) == 0);
}

TEST_CASE("blocks that together would hold more than a snappy block can are not joined") {
  wal::StoredRecord largest = record_of_bytes("x"), empty = record_of_bytes("");
  auto declares = std::make_shared<std::string>();
  declares->assign(wal::kEnvelopeBytes, '\0');
  declares->append("\xff\xff\xff\xff\x0f").append("\0x", 2);
  largest.bytes = declares;
  CHECK(merge(std::vector{largest, empty}).has_value());  // what it declares is taken at its word
  CHECK(merge(std::vector{largest, record_of_bytes("x")}).error().code == Errc::too_large);
}

TEST_CASE("a stored record that is no snappy block is an error, not a request") {
  auto broken = record_of_bytes("x");
  std::string bytes(wal::kEnvelopeBytes, '\0');
  bytes += "\xff\xff\xff";
  broken.bytes = std::make_shared<const std::string>(bytes);
  CHECK(merge(std::vector{broken, broken}).error().code == Errc::bad_input);
  broken.attributes.encoding = static_cast<std::uint16_t>(Version::v2);
  CHECK(merge(std::vector{broken, broken}).error().code == Errc::bad_input);
}

}  // namespace
}  // namespace tideover::remote_write
