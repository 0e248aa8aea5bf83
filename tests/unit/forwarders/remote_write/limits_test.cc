// What two bytes of a message can cost: limits that a request of a few kilobytes, once decompressed, runs
// into.
#include "forwarders/remote_write/limits.h"

#include <catch2/catch.hpp>

#include "forwarders/remote_write/message.h"
#include "forwarders/remote_write/scan.h"
#include "forwarders/remote_write/wire.h"
#include "tests/support/scan_oracle.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

using test::WriteRequest;
using namespace std::string_literals;

std::string repeated(std::string_view bytes, std::size_t times) {
  std::string all;
  all.reserve(bytes.size() * times);
  while (times-- > 0) all += bytes;
  return all;
}

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  wire::put_bytes(out, number, bytes);
  return out;
}

test::Labels many_labels(std::size_t count) {
  test::Labels labels{{"__name__", "wide"}};
  while (labels.size() < count) labels.emplace_back("label_" + std::to_string(labels.size()), "x");
  return labels;
}

// A request of 2.0 whose only table is "", "__name__", "up", and whose only series is `series`.
std::string v2_request(std::string_view series) {
  return field(4, "") + field(4, "__name__") + field(4, "up") + field(5, series);
}
const std::string kUp = field(1, "\x01\x02");  // labels_refs of __name__="up"

void check_too_large(const std::string& raw, Version version, const std::string& words) {
  const Result<Scan> scanned = scan(raw, version);
  REQUIRE(scanned.has_error());
  CHECK(scanned.error().code == Errc::too_large);
  CHECK_THAT(scanned.error().detail, Catch::Contains(words));
  CHECK(without_faults(raw, version).empty());
}

TEST_CASE("a series has as many labels as are allowed, and not one more") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const auto labels = GENERATE(as<std::size_t>(), kSeriesLabelsMax, kSeriesLabelsMax + 1, 100'000);
  WriteRequest request;
  request.series(many_labels(labels)).sample(1, 1);
  request.series({{"__name__", "up"}}).sample(1, 1);
  const std::string raw = request.encode(version);
  const Result<Scan> scanned = scan(raw, version);
  REQUIRE(scanned.has_value());
  const bool fits = labels <= kSeriesLabelsMax;
  CHECK(scanned->counts.series == (fits ? 2 : 1));
  if (!fits) CHECK_THAT(scanned->faults.at(0).sentence, Catch::Contains("more than 10000 labels"));
  CHECK(test::expected_of(raw, version).series == scanned->counts.series);
}

TEST_CASE("an exemplar has as many labels as are allowed, and not one more") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const auto labels = GENERATE(as<std::size_t>(), kSeriesLabelsMax, kSeriesLabelsMax + 1);
  WriteRequest request;
  request.series({{"__name__", "up"}}).sample(1, 1).exemplar(many_labels(labels), 1, 1);
  const Result<Scan> scanned = scan(request.encode(version), version);
  REQUIRE(scanned.has_value());
  CHECK(scanned->clean() == (labels <= kSeriesLabelsMax));
}

TEST_CASE("references are counted, not bytes, and in one field or in many") {
  const std::string wide =
      repeated("\x81\x80\x80\x80\x00\x82\x80\x80\x80\x00"s, kSeriesLabelsMax);  // one, two
  for (const bool split : {false, true}) {
    std::string refs = field(1, wide);
    if (split) refs += field(1, "\x01\x02");
    const Result<Scan> scanned = scan(v2_request(refs + field(2, "")), Version::v2);
    REQUIRE(scanned.has_value());
    REQUIRE(scanned->faults.size() == 1);
    CHECK_THAT(scanned->faults[0].sentence,
               Catch::Contains(split ? "more than 10000 labels" : "appears twice"));
  }
}

TEST_CASE("a histogram has as many buckets as are allowed, and not one more") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const auto buckets = GENERATE(as<std::size_t>(), kHistogramListMax, kHistogramListMax + 1);
  test::HistogramSpec spec{.timestamp_ms = 1, .is_float = true, .count = 0};
  spec.positive_spans = {{0, static_cast<std::uint32_t>(buckets)}};
  spec.positive_buckets.assign(buckets, 0);
  WriteRequest request;
  request.series({{"__name__", "rpc"}}).histogram(spec);
  const Result<Scan> scanned = scan(request.encode(version), version);
  REQUIRE(scanned.has_value());
  CHECK(scanned->clean() == (buckets <= kHistogramListMax));
}

TEST_CASE("a request has as many series, samples, exemplars and metadata entries as are allowed") {
  CHECK(scan(repeated(field(1, ""), kEntriesMax), Version::v1)->faulty_series == kEntriesMax);
  check_too_large(repeated(field(1, ""), kEntriesMax + 1), Version::v1, "500000 series");
  check_too_large(repeated(field(5, ""), kEntriesMax + 1), Version::v2, "500000 series");

  const std::string labels = field(1, field(1, "__name__") + field(2, "up"));
  CHECK(scan(field(1, labels + repeated(field(2, ""), kEntriesMax)), Version::v1)->clean());
  check_too_large(field(1, labels + repeated(field(2, ""), kEntriesMax + 1)), Version::v1, "500000 samples");
  check_too_large(v2_request(kUp + repeated(field(2, ""), kEntriesMax + 1)), Version::v2, "500000 samples");

  check_too_large(field(1, labels + repeated(field(3, ""), kEntriesMax + 1)), Version::v1,
                  "500000 exemplars");
  check_too_large(repeated(field(3, ""), kEntriesMax + 1), Version::v1, "500000 metadata entries");
}

TEST_CASE("a request has as many labels as are allowed, over all its series") {
  const std::string series = field(5, repeated(field(1, repeated("\x01\x02", kSeriesLabelsMax / 2)), 2));
  const std::string table = field(4, "") + field(4, "__name__") + field(4, "up");
  const std::size_t allowed = kRequestLabelsMax / kSeriesLabelsMax;
  CHECK(scan(table + repeated(series, allowed), Version::v2)->faulty_series == allowed);
  check_too_large(table + repeated(series, allowed + 1), Version::v2, "2000000 labels");
}

TEST_CASE("a request has as many symbols as are allowed, wherever they stand") {
  const std::string symbols = repeated(field(4, ""), kEntriesMax + 1);
  const std::string series = field(5, kUp + field(2, ""));
  CHECK(scan(repeated(field(4, ""), kEntriesMax), Version::v2)->clean());
  check_too_large(symbols + series, Version::v2, "500000 symbols");
  check_too_large(series + symbols, Version::v2, "500000 symbols");
}

TEST_CASE("references stand for no more bytes than a 1.0 request may have") {
  constexpr std::size_t kLong = 1 << 20;
  constexpr std::size_t kAllowed = (32 << 20) / kLong;
  const std::string table = field(4, "") + field(4, "__name__") + field(4, std::string(kLong - 8, 'x'));
  const std::string series = field(5, kUp + field(2, ""));
  CHECK(scan(table + repeated(series, kAllowed), Version::v2)->clean());
  check_too_large(table + repeated(series, kAllowed + 1), Version::v2, "stand for more than");

  // The same when they are written one by one.
  const std::string single = "\x08\x01\x08\x02";
  CHECK(scan(table + repeated(field(5, single + field(2, "")), kAllowed), Version::v2)->clean());
  check_too_large(table + repeated(field(5, single + field(2, "")), kAllowed + 1), Version::v2, "stand for");
  check_too_large(table + field(5, kUp + field(2, "") + repeated(field(4, single), kAllowed)), Version::v2,
                  "stand for");

  // The same by exemplars, and by help texts.
  const std::string exemplar = field(4, field(1, "\x01\x02"));
  check_too_large(table + field(5, kUp + field(2, "") + repeated(exemplar, kAllowed)), Version::v2,
                  "stand for");
  const std::string help = field(5, kUp + field(2, "") + field(5, "\x18\x02"));
  CHECK(scan(table + repeated(help, kAllowed / 2), Version::v2)->clean());
  check_too_large(table + repeated(help, kAllowed / 2 + 1), Version::v2, "stand for");
}

TEST_CASE("a conversion that would grow beyond its limit is given up") {
  const std::string table = field(4, "") + field(4, "__name__") + field(4, std::string(100'000, 'x'));
  const std::string raw = table + repeated(field(5, kUp + field(2, "")), 100);
  const auto message = Message::decode(test::stored_records({raw}, Version::v2));
  REQUIRE(message.has_value());
  const auto large = message->encode_within(8 << 20, 0, 100, Version::v1, {});
  CHECK(large.error().code == Errc::too_large);
  CHECK(message->encode_within(8 << 20, 0, 50, Version::v1, {})->units == 50);
  CHECK(message->encode_within(8 << 20, 0, 100, Version::v2, {})->units == 100);
}

}  // namespace
}  // namespace tideover::remote_write
