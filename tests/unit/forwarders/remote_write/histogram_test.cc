#include "forwarders/remote_write/histogram.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "remote_write_v1.pb.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

using test::HistogramSpec;
using test::valid_histogram;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string wire_of(const HistogramSpec& spec) {
  test::v1::WriteRequest request;
  const std::string raw =
      test::WriteRequest().series({{"__name__", "h"}}).histogram(spec).encode(Version::v1);
  REQUIRE(request.ParseFromString(raw));
  return request.timeseries(0).histograms(0).SerializeAsString();
}

std::string fault(const HistogramSpec& spec) {
  Histogram histogram;
  REQUIRE(read_histogram(wire_of(spec), Version::v1, histogram));
  return fault_of(histogram).value_or("");
}

HistogramSpec valid_float(std::int64_t timestamp_ms = 1) {
  HistogramSpec spec = valid_histogram(timestamp_ms);
  spec.is_float = true;
  spec.positive_buckets = {3, 4, 3};
  spec.negative_spans = {{-3, 1}};
  spec.negative_buckets = {0.5};
  return spec;
}

HistogramSpec valid_custom(bool is_float = false) {
  HistogramSpec spec;
  spec.timestamp_ms = 1;
  spec.is_float = is_float;
  spec.schema = -53;
  spec.custom_values = {0.1, 1, 10};
  spec.positive_spans = {{0, 2}, {1, 1}};
  spec.positive_buckets = {1, 1, 2};
  spec.count = is_float ? 4 : 7;
  return spec;
}

using Catch::Matchers::Contains;

TEST_CASE("consistent histograms of every kind are accepted") {
  CHECK(fault(valid_histogram(1)).empty());
  CHECK(fault(valid_float()).empty());
  CHECK(fault(valid_custom()).empty());
  CHECK(fault(valid_custom(true)).empty());
  CHECK(fault(HistogramSpec()).empty());  // no observation at all
}

TEST_CASE("a stale histogram is accepted") {
  HistogramSpec stale;
  stale.sum = test::from_bits(test::kStaleMarkerBits);
  CHECK(fault(stale).empty());
  stale.is_float = true;
  CHECK(fault(stale).empty());
}

TEST_CASE("the count of an integer histogram must be what its buckets hold") {
  auto spec = valid_histogram(1);
  spec.count = 13;
  CHECK_THAT(fault(spec), Contains("the count is 13, the buckets hold 12"));
  spec.sum = kNaN;  // observations of NaN are counted but lie in no bucket
  CHECK(fault(spec).empty());
  spec.count = 11;
  CHECK_THAT(fault(spec), Contains("the count is 11"));
}

TEST_CASE("a float histogram's count is not compared, but nothing in it may be negative") {
  auto spec = valid_float();
  spec.count = 1000;
  CHECK(fault(spec).empty());
  spec.count = -1;
  CHECK_THAT(fault(spec), Contains("count is negative"));
  spec = valid_float();
  spec.zero_count = -0.5;
  CHECK_THAT(fault(spec), Contains("zero bucket"));
  spec = valid_float();
  spec.positive_buckets[1] = -1;
  CHECK_THAT(fault(spec), Contains("bucket 2 has the negative count"));
  spec = valid_float();
  spec.negative_buckets[0] = -1;
  CHECK_THAT(fault(spec), Contains("bucket 1 has the negative count"));
  spec = valid_float();
  spec.positive_buckets[0] = kNaN;
  CHECK(fault(spec).empty());
}

TEST_CASE("deltas may not lead below zero") {
  auto spec = valid_histogram(1);
  spec.positive_buckets = {3, -4, 11};
  CHECK_THAT(fault(spec), Contains("bucket 2 has the negative count -1"));
}

TEST_CASE("spans must describe as many buckets as there are") {
  auto spec = valid_histogram(1);
  spec.positive_spans = {{0, 2}};
  CHECK_THAT(fault(spec), Contains("need 2 buckets, there are 3"));
  spec = valid_histogram(1);
  spec.negative_spans = {{0, 1}};
  CHECK_THAT(fault(spec), Contains("need 1 buckets, there are 0"));
  spec = valid_histogram(1);
  spec.positive_spans = {{0, 0xffffffff}, {0, 4}};  // 2^32 + 3: no wrapping
  CHECK_THAT(fault(spec), Contains("need 4294967299 buckets"));
}

TEST_CASE("only the first span may begin below zero") {
  auto spec = valid_histogram(1);
  spec.positive_spans = {{-5, 2}, {1, 1}};
  CHECK(fault(spec).empty());
  spec.positive_spans = {{0, 2}, {-1, 1}};
  CHECK_THAT(fault(spec), Contains("span 2 has the negative offset -1"));
}

TEST_CASE("schemas are -4 to 8, finer ones that Prometheus reduces, and -53 for custom buckets") {
  auto spec = valid_histogram(1);
  for (const std::int32_t schema : {-4, 0, 8, 9, 52}) {
    spec.schema = schema;
    CHECK(fault(spec).empty());
  }
  for (const std::int32_t schema : {-5, -9, 53, -54, std::numeric_limits<std::int32_t>::min()}) {
    spec.schema = schema;
    CHECK_THAT(fault(spec), Contains("no schema"));
  }
}

TEST_CASE("custom bounds rise strictly and leave +Inf unsaid") {
  auto spec = valid_custom();
  spec.custom_values = {1, 1, 10};
  CHECK_THAT(fault(spec), Contains("custom bound 2 is not above"));
  spec.custom_values = {0.1, kNaN, 10};
  CHECK_THAT(fault(spec), Contains("NaN"));
  spec.custom_values = {0.1, 1, kInf};
  CHECK_THAT(fault(spec), Contains("+Inf"));
  spec.custom_values = {-kInf, 1, 10};
  CHECK(fault(spec).empty());
  spec.custom_values = {1, 10};
  CHECK_THAT(fault(spec), Contains("2 custom bounds are too few"));
}

TEST_CASE("custom buckets have no zero bucket, no negative side, and exponential ones no custom bounds") {
  auto spec = valid_custom();
  spec.zero_count = 1;
  CHECK_THAT(fault(spec), Contains("zero bucket"));
  spec = valid_custom(true);
  spec.zero_count = 1;
  CHECK_THAT(fault(spec), Contains("zero bucket"));
  spec = valid_custom();
  spec.zero_threshold = 0.1;
  CHECK_THAT(fault(spec), Contains("zero threshold"));
  spec = valid_custom();
  spec.negative_spans = {{0, 0}};
  CHECK_THAT(fault(spec), Contains("negative spans"));
  spec = valid_custom();
  spec.negative_buckets = {1};
  CHECK_THAT(fault(spec), Contains("negative buckets"));
  spec = valid_custom();
  spec.positive_spans = {{-1, 3}};
  CHECK_THAT(fault(spec), Contains("negative offset"));
  spec = valid_histogram(1);
  spec.custom_values = {1};
  CHECK_THAT(fault(spec), Contains("no custom bounds"));
}

TEST_CASE("numbers read the same packed and unpacked") {
  const std::string packed = "\x62\x03\x06\x02\x01";  // positive_deltas 3, 1, -1
  const std::string unpacked = "\x60\x06\x60\x02\x60\x01";
  Histogram one;
  Histogram two;
  REQUIRE(read_histogram(packed, Version::v1, one));
  REQUIRE(read_histogram(unpacked, Version::v1, two));
  CHECK(one.positive.deltas == std::vector<std::int64_t>{3, 1, -1});
  CHECK(two.positive.deltas == one.positive.deltas);
}

TEST_CASE("nothing of one histogram shows in the next") {
  Histogram histogram;
  REQUIRE(read_histogram(wire_of(valid_float()), Version::v1, histogram));
  REQUIRE(read_histogram("", Version::v1, histogram));
  CHECK_FALSE(histogram.is_float);
  CHECK(histogram.sum == 0);
  CHECK(histogram.timestamp_ms == 0);
  CHECK(histogram.positive.spans.empty());
  CHECK(histogram.positive.counts.empty());
  CHECK(histogram.negative.spans.empty());
}

TEST_CASE("a start timestamp is known to 2.0 and unknown to 1.0") {
  const std::string bytes = "\x88\x01\x05";
  Histogram histogram;
  REQUIRE(read_histogram(bytes, Version::v2, histogram));
  CHECK(histogram.start_ms == 5);
  REQUIRE(read_histogram(bytes, Version::v1, histogram));
  CHECK(histogram.start_ms == 0);
}

TEST_CASE("bytes that are no histogram are refused") {
  Histogram histogram;
  const std::string good = wire_of(valid_float());
  for (const std::string& bytes :
       {std::string("\x0a\x01x"), std::string("\x19\x00", 2), good.substr(0, good.size() - 1),
        std::string("\x6a\x07xxxxxxx"), std::string("\x62\x01\x80")})
    CHECK_FALSE(read_histogram(bytes, Version::v1, histogram));
}

}  // namespace
}  // namespace tideover::remote_write
