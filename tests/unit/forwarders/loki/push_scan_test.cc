#include "forwarders/loki/push_scan.h"

#include <catch2/catch.hpp>
#include <limits>

#include "forwarders/loki/push_writer.h"
#include "tests/support/push_oracle.h"

namespace tideover::loki {
namespace {

namespace wire = remote_write::wire;

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  wire::put_bytes(out, number, bytes);
  return out;
}

std::string number(std::uint32_t field, std::int64_t value) {
  std::string out;
  wire::put_number(out, field, static_cast<std::uint64_t>(value));
  return out;
}

std::string one_entry(std::string_view fields) {
  return field(kRequestStreams, field(kStreamLabels, "{a=\"b\"}") + field(kStreamEntries, fields));
}

std::string at(std::int64_t seconds, std::int64_t nanos) {
  return field(kEntryTimestamp, number(kTimestampSeconds, seconds) + number(kTimestampNanos, nanos));
}

std::int64_t ns_of(std::int64_t seconds, std::int64_t nanos) {
  const auto read = test::pushed_as_scanned(one_entry(at(seconds, nanos)));
  REQUIRE(read.has_value());
  return read->at(0).entries.at(0).ns;
}

TEST_CASE("labels behind the entries are those of the stream, and the last ones count") {
  const std::string raw = field(
      1, field(kStreamEntries, at(1, 0)) + field(kStreamLabels, "first") + field(kStreamLabels, "last"));
  const auto read = test::pushed_as_scanned(raw);
  REQUIRE(read.has_value());
  CHECK(read->at(0).labels == "last");
  CHECK(read->at(0).entries.size() == 1);
}

TEST_CASE("metadata is handed out as it lies on the wire") {
  const std::string pairs =
      field(kEntryMetadata, field(1, "trace") + field(2, "abc")) + field(kEntryMetadata, "");
  const std::string raw = one_entry(at(1, 0) + field(kEntryLine, "line") + pairs);
  PushReader reader(raw);
  PushEntry entry;
  REQUIRE(reader.next_stream());
  REQUIRE(reader.next_entry(entry));
  CHECK(entry.metadata == pairs);
  CHECK(entry.metadata.data() >= raw.data());
  CHECK(entry.metadata.data() < raw.data() + raw.size());
  CHECK_FALSE(reader.next_entry(entry));
}

TEST_CASE("metadata between other fields is gathered") {
  const std::string first = field(kEntryMetadata, field(1, "a"));
  const std::string second = field(kEntryMetadata, field(1, "b"));
  const std::string third = field(kEntryMetadata, field(1, "c"));
  const std::string raw = one_entry(first + field(kEntryLine, "line") + second + at(1, 0) + third);
  PushReader reader(raw);
  PushEntry entry;
  REQUIRE(reader.next_stream());
  REQUIRE(reader.next_entry(entry));
  CHECK(entry.metadata == first + second + third);
}

TEST_CASE("entries that are left unread are passed over by the next stream") {
  const std::string raw = one_entry(at(1, 0)) + one_entry(at(2, 0));
  PushReader reader(raw);
  PushEntry entry;
  REQUIRE(reader.next_stream());
  REQUIRE(reader.next_stream());
  REQUIRE(reader.next_entry(entry));
  CHECK(entry.ns == 2 * kNanosPerSecond);
  CHECK_FALSE(reader.next_stream());
  CHECK_FALSE(reader.broken());
}

TEST_CASE("what is the server's own is passed over") {
  const std::string entry = at(1, 0) + field(4, field(1, "parsed")) + field(9, "unknown");
  const std::string raw = field(2, "format") + field(1, field(1, "{}") + field(2, entry) + number(3, 77));
  const auto read = test::pushed_as_scanned(raw);
  REQUIRE(read.has_value());
  CHECK(read->at(0).entries.at(0).metadata.empty());
}

TEST_CASE("a known field of another type makes the request unreadable, as for Loki's parser") {
  const std::string entry = one_entry(at(1, 0));
  CHECK(test::pushed_as_scanned(entry + number(9, 1)));
  for (const std::string& bad :
       {number(1, 1), number(2, 1), field(1, number(1, 1)), field(1, number(2, 1)), field(1, field(3, "x")),
        one_entry(number(1, 1)), one_entry(number(2, 1)), one_entry(number(3, 1)), one_entry(number(4, 1)),
        one_entry(field(1, field(1, "x"))), one_entry(field(3, number(1, 1))),
        one_entry(field(4, number(2, 1)))})
    CHECK_FALSE(test::pushed_as_scanned(entry + bad));
}

TEST_CASE("times that nanoseconds cannot say become the nearest that they can") {
  CHECK(ns_of(1, 5) == kNanosPerSecond + 5);
  CHECK(ns_of(-1, 5) == -kNanosPerSecond + 5);
  CHECK(ns_of(9'223'372'036, 854'775'807) == std::numeric_limits<std::int64_t>::max());
  CHECK(ns_of(9'223'372'036, 854'775'806) == std::numeric_limits<std::int64_t>::max() - 1);
  CHECK(ns_of(9'223'372'036, 854'775'808) == std::numeric_limits<std::int64_t>::max());
  CHECK(ns_of(-9'223'372'037, 145'224'192) == std::numeric_limits<std::int64_t>::min());
  CHECK(ns_of(-9'223'372'037, 145'224'193) == std::numeric_limits<std::int64_t>::min() + 1);
  CHECK(ns_of(-9'223'372'037, 0) == std::numeric_limits<std::int64_t>::min());
  CHECK(ns_of(253'402'300'799, 999'999'999) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a time that is none makes the request unreadable, as for Loki's parser") {
  for (const auto& [seconds, nanos] : {std::pair<std::int64_t, std::int64_t>{0, -1},
                                       {0, kNanosPerSecond},
                                       {253'402'300'800, 0},
                                       {-62'135'596'801, 0}})
    CHECK_FALSE(test::pushed_as_scanned(one_entry(at(seconds, nanos))));
  CHECK(test::pushed_as_scanned(one_entry(at(-62'135'596'800, 0))));
}

TEST_CASE("a request that breaks off says where") {
  struct Nothing {
    void stream(std::string_view) {}
    void entry(std::int64_t, std::string_view, std::string_view) {}
  } nothing;
  const std::string good = one_entry(at(1, 0));
  const std::string bad = field(1, field(2, at(1, 0)) + field(2, at(0, -1)));
  const Result<> scanned = scan_push(good + bad, nothing);
  REQUIRE_FALSE(scanned.has_value());
  CHECK(scanned.error().code == Errc::bad_input);
  CHECK(scanned.error().detail.find("stream 2, entry 2") != std::string::npos);
  CHECK(scan_push("\x0a", nothing).error().detail.find("stream 1") != std::string::npos);
  CHECK(scan_push("\xff", nothing).error().detail.find("first byte") != std::string::npos);
  CHECK(scan_push("", nothing).has_value());
}

}  // namespace
}  // namespace tideover::loki
