#include "bench/stream.h"

#include <catch2/catch.hpp>

#include "bench/encode.h"
#include "bench/tally.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/snappy.h"

using namespace tideover;
using namespace tideover::bench;
using remote_write::Version;

namespace {

constexpr std::int64_t kBaseMs = 1'790'000'000'123;

Source small_source() {
  return synthetic_source({.series = 120, .labels = 6, .label_bytes = 20, .rounds = 3});
}

Stream stream_of(const Source& source, Version version) {
  return prepare(source, {.version = version, .connections = 3, .samples_per_request = 50}).value();
}

template <class Visit>
void for_each(Stream& stream, Visit visit) {
  for (auto& requests : stream.by_connection) {
    for (PreparedRequest& request : requests) visit(request);
  }
}

}  // namespace

TEST_CASE("stamped timestamps are those of the ticks, whatever they are") {
  const auto version = GENERATE(Version::v1, Version::v2);
  Stream stream = stream_of(small_source(), version);
  for_each(stream, [&](PreparedRequest& request) {
    for (const std::int64_t base_ms : {kBaseMs, kBaseMs + 1'000'000'007, std::int64_t{1} << 40}) {
      std::string raw;
      REQUIRE(remote_write::decompress(request.stamped(base_ms), remote_write::kDecodedBytesMax, raw)
                  .has_value());
      const auto scan = remote_write::scan(raw, version);
      REQUIRE(scan.has_value());
      CHECK(scan->clean());
      CHECK(scan->counts.floats == request.samples());
      CHECK(scan->oldest_ms >= base_ms);
      CHECK(scan->newest_ms < base_ms + stream.ticks);
    }
  });
}

TEST_CASE("a stamped request is what encoding it with these timestamps would give") {
  const Source source = small_source();
  OpenMessage message = encode(source, std::span(source.samples).subspan(100, 60), Version::v1);
  OpenMessage reference = message;
  for (const auto& time : reference.slots) {
    std::uint64_t left = static_cast<std::uint64_t>(kBaseMs) + time.tick;
    for (std::size_t i = 0; i < kOpenBytes; ++i, left >>= 7) {
      reference.bytes[time.offset + i] = static_cast<char>((left & 0x7f) | (i + 1 < kOpenBytes ? 0x80 : 0));
    }
  }
  auto request = PatchableRequest::make(std::move(message)).value();
  request.stamp(kBaseMs, 0);
  std::string raw;
  REQUIRE(remote_write::decompress(request.body(), remote_write::kDecodedBytesMax, raw).has_value());
  CHECK(raw == reference.bytes);
}

TEST_CASE("the tally of what arrives equals the generator's account of what it sent") {
  const auto version = GENERATE(Version::v1, Version::v2);
  Stream stream = stream_of(small_source(), version);
  Tally tally(true);
  std::uint64_t digest = 0;
  for (const std::int64_t base_ms : {kBaseMs, kBaseMs + stream.ticks}) {
    for_each(stream, [&](PreparedRequest& request) {
      REQUIRE(tally.add(request.stamped(base_ms), version));
      digest += request.digest(stream.hashes, base_ms);
    });
  }
  CHECK(tally.samples() == 2 * stream.samples);
  CHECK(tally.order_faults() == 0);
  CHECK(tally.digest() == digest);
}

TEST_CASE("the tally sees a sample that comes twice, one that is missing, and one that was altered") {
  Stream stream = stream_of(small_source(), Version::v1);
  PreparedRequest& request = stream.by_connection[0][0];
  const std::string body(request.stamped(kBaseMs));
  const std::uint64_t digest = request.digest(stream.hashes, kBaseMs);

  Tally twice(true);
  REQUIRE(twice.add(body, Version::v1));
  REQUIRE(twice.add(body, Version::v1));
  CHECK(twice.order_faults() == request.samples());
  CHECK(twice.digest() != digest);

  CHECK(Tally(true).digest() != digest);

  std::string raw, altered_body;
  REQUIRE(remote_write::decompress(body, remote_write::kDecodedBytesMax, raw).has_value());
  const std::size_t value = raw.find("\x12\x10\x09") + 3;  // a sample's first byte of value
  raw[value] = static_cast<char>(raw[value] ^ 1);
  remote_write::compress(raw, altered_body);
  Tally altered(true);
  REQUIRE(altered.add(altered_body, Version::v1));
  CHECK(altered.samples() == request.samples());
  CHECK(altered.digest() != digest);
}

TEST_CASE("a series stays on one connection, and moves forward in time there") {
  const Source source = small_source();
  Stream stream = stream_of(source, Version::v1);
  for (auto& requests : stream.by_connection) {
    Tally tally(true);
    for (PreparedRequest& request : requests) REQUIRE(tally.add(request.stamped(kBaseMs), Version::v1));
    CHECK(tally.order_faults() == 0);
    CHECK(tally.samples() == stream.samples / stream.by_connection.size());
  }
}

TEST_CASE("a churning series has another name in each repetition, and the others keep theirs") {
  const auto version = GENERATE(Version::v1, Version::v2);
  const Source source =
      synthetic_source({.series = 120, .labels = 6, .label_bytes = 20, .rounds = 3, .churn = 0.25});
  REQUIRE(source.churning == 30);
  Stream stream = stream_of(source, version);
  Tally tally(true);
  std::uint64_t digest = 0;
  for (const std::uint32_t repetition : {0, 1, 2}) {
    for_each(stream, [&](PreparedRequest& request) {
      // The same timestamps each time: a series that keeps its name is caught repeating itself.
      const std::string body(request.stamped(kBaseMs, repetition));
      REQUIRE(tally.add(body, version));
      digest += request.digest(stream.hashes, kBaseMs, repetition);
      std::string raw;
      REQUIRE(remote_write::decompress(body, remote_write::kDecodedBytesMax, raw).has_value());
      CHECK(remote_write::scan(raw, version)->clean());
    });
  }
  CHECK(tally.digest() == digest);
  CHECK(tally.order_faults() == 2 * 90 * 3);
}

TEST_CASE("the captured stream of either version comes through as the generator accounts for it") {
  const auto version = GENERATE(Version::v1, Version::v2);
  const Source source = capture_source(version).value();
  CHECK(source.series.size() > 20'000);
  CHECK(source.metadata.size() == (version == Version::v2 ? source.series.size() : 0));
  Source some = source;
  some.samples.resize(20'000);
  Stream stream = prepare(some, {.version = version}).value();
  Tally tally(true);
  std::uint64_t digest = 0;
  for_each(stream, [&](PreparedRequest& request) {
    const std::string body(request.stamped(kBaseMs));
    REQUIRE(tally.add(body, version));
    digest += request.digest(stream.hashes, kBaseMs);
    std::string raw;
    REQUIRE(remote_write::decompress(body, remote_write::kDecodedBytesMax, raw).has_value());
    CHECK(remote_write::scan(raw, version)->clean());
  });
  CHECK(tally.samples() == 20'000);
  CHECK(tally.order_faults() == 0);
  CHECK(tally.digest() == digest);
}
