#include "forwarders/remote_write/message.h"

#include <catch2/catch.hpp>

#include "forwarders/remote_write/labels.h"
#include "tests/support/capture.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

using test::contents_of;
using test::from_bits;
using test::snappy_plain;
using test::stored_records;
using test::WriteRequest;

Message decoded(const std::vector<std::string>& raws, Version version) {
  Result<Message> message = Message::decode(stored_records(raws, version));
  REQUIRE(message.has_value());
  return std::move(*message);
}

test::Contents contents(const Encoded& encoded, Version version) {
  return contents_of(snappy_plain(encoded.body), version);
}

// Two series of several points, one with everything that may hang on it.
WriteRequest rich_request() {
  auto histogram = test::valid_histogram(5000);
  histogram.start_ms = 50;
  WriteRequest request;
  request.series({{"__name__", "requests_total"}, {"job", "node"}});
  request.sample(1000, 1, 10).sample(2000, from_bits(0x7ff8dead00000001)).stale(3000);
  request.exemplar({{"trace_id", "abc"}, {"span", "1"}}, 0.5, 1500);
  request.metadata({"requests_total", 1, "Requests served.", "requests"});
  request.series({{"__name__", "latency"}, {"job", "node"}})
      .histogram(histogram)
      .histogram(test::valid_histogram(6000));
  request.metadata({"latency", 3, "", "seconds"});
  return request;
}

TEST_CASE("a message encoded whole says what its records said") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const std::string raw = rich_request().encode(version);
  const Message message = decoded({raw, raw}, version);
  const Encoded encoded = message.encode(0, message.items(), version, {});
  const test::Contents one = contents_of(raw, version);
  const test::Contents all = contents(encoded, version);
  REQUIRE(all.points.size() == 2 * one.points.size());
  CHECK(std::equal(one.points.begin(), one.points.end(), all.points.begin()));
  CHECK(all.exemplars.size() == 2);
  CHECK(all.exemplars[0] == one.exemplars[0]);
  CHECK(all.metadata.size() == 2 * one.metadata.size());
  CHECK(all.of_series.size() == 2 * one.of_series.size());
  CHECK(encoded.units == 10);
  CHECK(encoded.counts.floats == 6);
  CHECK(encoded.counts.histograms == 4);
  CHECK(encoded.counts.exemplars == 2);
  CHECK(encoded.counts.series == 4);
  CHECK(encoded.oldest_ms == 1000);
  CHECK(encoded.newest_ms == 6000);
  CHECK(encoded.stripped == 0);
}

TEST_CASE("wherever a message is cut, its halves hold every point once and in order") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const std::vector<std::string> raws{rich_request().encode(version), rich_request().encode(version)};
  const Message message = decoded(raws, version);
  const auto whole = contents(message.encode(0, message.items(), version, {}), version).points;
  for (std::size_t cut = 0; cut <= message.items(); ++cut) {
    const Encoded front = message.encode(0, cut, version, {});
    const Encoded back = message.encode(cut, message.items(), version, {});
    auto points = contents(front, version).points;
    const auto rest = contents(back, version).points;
    CHECK(front.units == points.size());
    CHECK(back.units == rest.size());
    CHECK(message.units(0, cut) == points.size());
    points.insert(points.end(), rest.begin(), rest.end());
    CHECK(points == whole);
  }
}

TEST_CASE("exemplars and metadata travel with the first item of their series in the range") {
  const Message message = decoded({rich_request().encode(Version::v2)}, Version::v2);
  const auto second = contents(message.encode(1, 2, Version::v2, {}), Version::v2);
  CHECK(second.points.size() == 1);
  CHECK(second.exemplars.size() == 1);
  REQUIRE(second.of_series.size() == 1);
  CHECK(second.of_series[0].second == test::MetadataSpec{"", 1, "Requests served.", "requests"});
  CHECK(contents(message.encode(3, 4, Version::v2, {}), Version::v2).exemplars.empty());
}

TEST_CASE("entries without points are items that weigh nothing") {
  WriteRequest request;
  request.series({{"__name__", "up"}}).exemplar({{"trace", "a"}}, 1, 1);
  request.series({{"__name__", "up"}}).sample(1, 1);
  request.metadata({"up", 2, "help", "unit"});
  const Message message = decoded({request.encode(Version::v1)}, Version::v1);
  REQUIRE(message.items() == 3);
  CHECK(message.units(0, 3) == 1);
  CHECK(contents(message.encode(0, 1, Version::v1, {}), Version::v1).exemplars.size() == 1);
  CHECK(contents(message.encode(2, 3, Version::v1, {}), Version::v1).metadata.size() == 1);
  CHECK(message.encode(2, 3, Version::v1, {}).oldest_ms == 0);
}

TEST_CASE("an empty range is an empty request") {
  const Message message = decoded({rich_request().encode(Version::v1)}, Version::v1);
  CHECK(snappy_plain(message.encode(1, 1, Version::v1, {}).body).empty());
  CHECK(decoded({}, Version::v1).items() == 0);
}

TEST_CASE("labels come out sorted, and external ones join where their name is free") {
  const Version version = GENERATE(Version::v1, Version::v2);
  WriteRequest request;
  request.series({{"zone", "z"}, {"cluster", "own"}, {"__name__", "up"}}).sample(1, 1);
  request.series({{"__name__", "down"}}).sample(2, 2);
  const Message message = decoded({request.encode(version)}, version);
  const ExternalLabels external{{"cluster", "app1"}, {"replica", "a"}, {"Z", "first"}};
  const test::Contents out = contents(message.encode(0, 2, version, external), version);
  CHECK(out.sorted);
  REQUIRE(out.points.size() == 2);
  CHECK(out.points[0].labels ==
        test::LabelMap{
            {"Z", "first"}, {"__name__", "up"}, {"cluster", "own"}, {"replica", "a"}, {"zone", "z"}});
  CHECK(out.points[1].labels ==
        test::LabelMap{{"Z", "first"}, {"__name__", "down"}, {"cluster", "app1"}, {"replica", "a"}});
}

TEST_CASE("2.0 becomes 1.0 with everything but start timestamps, which are counted") {
  const std::string raw = rich_request().encode(Version::v2);
  const Message message = decoded({raw}, Version::v2);
  const Encoded encoded = message.encode(0, message.items(), Version::v1, {});
  const test::Contents out = contents(encoded, Version::v1);
  test::Contents expected = contents_of(raw, Version::v2);
  for (test::Point& point : expected.points) point.start_ms = 0;
  CHECK(out.points == expected.points);
  CHECK(out.exemplars == expected.exemplars);
  CHECK(out.metadata == std::vector<test::MetadataSpec>{{"requests_total", 1, "Requests served.", "requests"},
                                                        {"latency", 3, "", "seconds"}});
  CHECK(encoded.stripped == 2);
  CHECK(encoded.counts.floats == 3);
  CHECK(encoded.counts.histograms == 2);
  CHECK(encoded.counts.exemplars == 1);
  CHECK(encoded.counts.metadata == 2);
  CHECK(scan(snappy_plain(encoded.body), Version::v1)->clean());
}

TEST_CASE("native histograms of every kind survive the conversion to 1.0 bit for bit") {
  auto floats = test::valid_histogram(1);
  floats.is_float = true;
  floats.positive_buckets = {0.25, 4, 3};
  floats.negative_spans = {{-7, 1}};
  floats.negative_buckets = {from_bits(0x7ff8dead00000001)};
  floats.reset_hint = 3;
  test::HistogramSpec custom;
  custom.timestamp_ms = 2;
  custom.start_ms = 1;
  custom.schema = -53;
  custom.custom_values = {0.5, 1, 2.5};
  custom.positive_spans = {{1, 2}};
  custom.positive_buckets = {4, -1};
  custom.count = 7;
  custom.sum = from_bits(test::kStaleMarkerBits);
  const std::string raw =
      WriteRequest().series({{"__name__", "h"}}).histogram(floats).histogram(custom).encode(Version::v2);
  const Message message = decoded({raw}, Version::v2);
  auto expected = contents_of(raw, Version::v2).points;
  for (test::Point& point : expected) point.start_ms = 0;
  CHECK(contents(message.encode(0, 2, Version::v1, {}), Version::v1).points == expected);
}

TEST_CASE("metadata of 2.0 names the family once for each request of 1.0") {
  WriteRequest request;
  for (const char* name : {"rpc_seconds_bucket", "rpc_seconds_count", "rpc_seconds_sum"})
    request.series({{"__name__", name}}).sample(1, 1).metadata({"", 3, "Latency.", ""});
  request.series({{"__name__", "gc_seconds_sum"}}).sample(1, 1).metadata({"", 5, "Pauses.", ""});
  request.series({{"__name__", "gc_seconds"}, {"quantile", "1"}})
      .sample(1, 1)
      .metadata({"", 5, "Pauses.", ""});
  request.series({{"__name__", "errors_count"}}).sample(1, 1).metadata({"", 1, "A counter.", ""});
  request.series({{"__name__", "_sum"}}).sample(1, 1).metadata({"", 3, "All suffix.", ""});
  request.series({{"__name__", "silent"}}).sample(1, 1);
  const Message message = decoded({request.encode(Version::v2)}, Version::v2);
  const auto metadata = contents(message.encode(0, message.items(), Version::v1, {}), Version::v1).metadata;
  CHECK(metadata == std::vector<test::MetadataSpec>{{"rpc_seconds", 3, "Latency.", ""},
                                                    {"gc_seconds", 5, "Pauses.", ""},
                                                    {"errors_count", 1, "A counter.", ""},
                                                    {"_sum", 3, "All suffix.", ""}});
  CHECK(contents(message.encode(1, 2, Version::v1, {}), Version::v1).metadata.size() == 1);
}

TEST_CASE("captured 2.0 requests convert to 1.0 without a point missing or altered") {
  std::vector<std::string> raws;
  for (auto& request : test::read_capture(Version::v2, 4)) raws.push_back(std::move(request.body));
  const Message message = decoded(raws, Version::v2);
  const Encoded encoded = message.encode(0, message.items(), Version::v1, {});
  std::vector<test::Point> expected;
  for (const std::string& raw : raws)
    for (test::Point point : test::samples_of(raw, Version::v2)) {
      point.start_ms = 0;
      expected.push_back(std::move(point));
    }
  const test::Contents out = contents(encoded, Version::v1);
  CHECK(out.points == expected);
  CHECK(out.sorted);
  CHECK(scan(snappy_plain(encoded.body), Version::v1)->clean());
}

TEST_CASE("a series is described in bounds, however many labels it has and however long they are") {
  const std::string name(100, 'n'), value(5000, 'v');
  const std::vector<Label> many(100, Label{name, "x"});
  const std::string text = describe(many);
  CHECK(text.size() < 800);
  CHECK(text.ends_with(", ...}"));
  CHECK(describe(std::vector<Label>{{name, value}, {"b", "c"}}).size() < 800);
  CHECK(describe(std::vector<Label>{{"a", "b"}, {"c", "d"}}) == "{a=\"b\", c=\"d\"}");
}

TEST_CASE("an item describes the series it belongs to") {
  WriteRequest request = rich_request();
  request.series({{"zone", "a\n"}, {"__name__", "up"}}).sample(1, 1);
  const Message v2 = decoded({request.encode(Version::v2)}, Version::v2);
  CHECK(v2.describe(2) == "{__name__=\"requests_total\", job=\"node\"}");
  CHECK(v2.describe(5) == "{__name__=\"up\", zone=\"a\\x0a\"}");
  const Message v1 = decoded({request.encode(Version::v1)}, Version::v1);
  CHECK(v1.describe(6) == "metadata {family=\"requests_total\"}");
}

TEST_CASE("a record that is no message of its version is an error, not a crash") {
  const Version version = GENERATE(Version::v1, Version::v2);
  auto records = stored_records({rich_request().encode(version)}, version);
  for (const std::string& raw :
       {std::string("\x0a\xff"), std::string("\x2a\x02\x0a\x7f"), std::string("\x2a\x03\x0a\x01\x09")}) {
    records[0].bytes =
        std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0') + test::snappy_block(raw));
    if (version == Version::v1 && raw[0] == '\x2a') continue;  // an unknown field there
    CHECK(Message::decode(records).error().code == Errc::bad_input);
  }
  records[0].bytes = std::make_shared<const std::string>(std::string(wal::kEnvelopeBytes, '\0') + "\xff\xff");
  CHECK(Message::decode(records).error().code == Errc::bad_input);
}

}  // namespace
}  // namespace tideover::remote_write
