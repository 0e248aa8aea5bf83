// The comparator is itself held to a promise: one wrong bit anywhere is seen.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <google/protobuf/util/delimited_message_util.h>
#include <limits>
#include <unistd.h>

#include "samples.pb.h"
#include "tests/e2e/compare/canonical.h"
#include "tests/e2e/compare/difference.h"
#include "tests/e2e/compare/source.h"

namespace tideover::compare {
namespace {

const Selection kAll{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), {}};

pb::TimeSeries series(const std::string& name, std::vector<std::pair<std::int64_t, std::uint64_t>> samples) {
  pb::TimeSeries out;
  pb::Label& label = *out.add_labels();
  label.set_name("__name__");
  label.set_value(name);
  for (const auto& [t, bits] : samples) {
    pb::Sample& sample = *out.add_samples();
    sample.set_timestamp(t);
    sample.set_value(std::bit_cast<double>(bits));
  }
  return out;
}

pb::Histogram histogram(std::int64_t t, std::vector<std::pair<int, std::vector<std::int64_t>>> spans) {
  pb::Histogram out;
  out.set_timestamp(t);
  out.set_count_int(12);
  out.set_zero_count_int(1);
  out.set_sum(18.5);
  out.set_schema(3);
  out.set_zero_threshold(0x1p-128);
  for (const auto& [offset, deltas] : spans) {
    pb::BucketSpan& span = *out.add_positive_spans();
    span.set_offset(offset);
    span.set_length(static_cast<std::uint32_t>(deltas.size()));
    for (const std::int64_t delta : deltas) out.add_positive_deltas(delta);
  }
  return out;
}

SampleSet set_of(const std::vector<pb::TimeSeries>& messages, const Selection& selection = kAll) {
  SampleSet set;
  for (const pb::TimeSeries& message : messages) add(set, message, selection);
  sort(set);
  return set;
}

constexpr std::uint64_t kOne = std::bit_cast<std::uint64_t>(1.0);
const std::vector<pb::TimeSeries> kTwoSeries{series("a", {{1000, kOne}, {2000, kOne}, {3000, kStaleMarker}}),
                                             series("b", {{1000, kOne}})};

TEST_CASE("equal sets have no difference") {
  const Difference difference = compare(set_of(kTwoSeries), set_of(kTwoSeries), 5);
  CHECK(difference.missing == 0);
  CHECK(difference.altered == 0);
  CHECK(difference.extra == 0);
  CHECK(difference.sender.samples == 4);
  CHECK(difference.sender.series == 2);
  CHECK(difference.receiver.stale_markers == 1);
}

TEST_CASE("one flipped bit is an altered sample, whichever bit it is") {
  const int bit = GENERATE(0, 1, 31, 52, 63);
  const auto other = set_of({series("a", {{1000, kOne ^ (1ULL << bit)}})});
  const Difference difference = compare(set_of({series("a", {{1000, kOne}})}), other, 5);
  CHECK(difference.altered == 1);
  CHECK(difference.missing == 0);
  REQUIRE(difference.examples.size() == 1);
}

TEST_CASE("a stale marker is not just any NaN") {
  const auto nan = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());
  const Difference difference =
      compare(set_of({series("a", {{1, kStaleMarker}})}), set_of({series("a", {{1, nan}})}), 5);
  CHECK(difference.altered == 1);
}

TEST_CASE("one missing sample is seen, at the start, in the middle and at the end") {
  const std::size_t gap = GENERATE(0U, 1U, 2U);
  std::vector<std::pair<std::int64_t, std::uint64_t>> row{{1000, kOne}, {2000, kOne}, {3000, kOne}};
  const auto sender = set_of({series("a", row)});
  row.erase(row.begin() + static_cast<std::ptrdiff_t>(gap));
  const Difference difference = compare(sender, set_of({series("a", row)}), 5);
  CHECK(difference.missing == 1);
  CHECK(difference.altered == 0);
  CHECK(difference.extra == 0);
}

TEST_CASE("one missing stale marker is seen") {
  const auto receiver = set_of({series("a", {{1000, kOne}, {2000, kOne}}), series("b", {{1000, kOne}})});
  const Difference difference = compare(set_of(kTwoSeries), receiver, 5);
  CHECK(difference.missing == 1);
  REQUIRE(difference.examples.size() == 1);
  CHECK(difference.examples[0] == "missing: {__name__=\"a\"} at 3000: 0x7ff0000000000002");
}

TEST_CASE("a whole series that is missing, or that nobody sent, is seen") {
  const auto one = set_of({kTwoSeries[0]});
  CHECK(compare(set_of(kTwoSeries), one, 5).missing == 1);
  CHECK(compare(one, set_of(kTwoSeries), 5).extra == 1);
}

TEST_CASE("one altered histogram is seen, whatever part of it changed") {
  const auto set_with = [](const pb::Histogram& value) {
    pb::TimeSeries message = series("h", {});
    *message.add_histograms() = value;
    return set_of({message});
  };
  const pb::Histogram original = histogram(1000, {{0, {1, 2}}, {3, {-1}}});
  pb::Histogram other = original;
  SECTION("a bucket") { other.set_positive_deltas(1, 3); }
  SECTION("where a span begins") { other.mutable_positive_spans(1)->set_offset(4); }
  SECTION("the sum, by one bit") { other.set_sum(std::nextafter(18.5, 19)); }
  SECTION("the count") { other.set_count_int(13); }
  SECTION("the zero bucket") { other.set_zero_count_int(2); }
  SECTION("the zero threshold") { other.set_zero_threshold(0x1p-127); }
  SECTION("the schema") { other.set_schema(2); }
  SECTION("integer or float") { other.set_count_float(12); }
  SECTION("a gauge instead of a counter") { other.set_reset_hint(3); }
  SECTION("a custom bound") { other.add_custom_values(1); }
  CHECK(compare(set_with(original), set_with(other), 5).altered == 1);
}

TEST_CASE("a histogram that ended is not a histogram that went on") {
  pb::TimeSeries alive = series("h", {});
  *alive.add_histograms() = histogram(1000, {{0, {1, 2}}});
  pb::TimeSeries ended = alive;
  ended.mutable_histograms(0)->set_sum(std::bit_cast<double>(kStaleMarker));
  const Difference difference = compare(set_of({alive}), set_of({ended}), 5);
  CHECK(difference.missing == 1);
  CHECK(difference.extra == 1);
  CHECK(difference.receiver.stale_markers == 1);

  // The TSDB chooses the type of the marker; a marker it is either way.
  const Difference same = compare(set_of({series("h", {{1000, kStaleMarker}})}), set_of({ended}), 5);
  CHECK(same.missing + same.altered + same.extra == 0);
}

TEST_CASE("empty buckets and reset hints that a TSDB derives make no difference") {
  pb::Histogram relaid = histogram(1000, {{0, {1, 2, -3, 0, 0, 2}}});
  relaid.set_reset_hint(2);
  CHECK(canonical(histogram(1000, {{0, {1, 2}}, {3, {-1}}})) == canonical(relaid));
}

TEST_CASE("labels that one side adds are ignored when asked for, and only then") {
  pb::TimeSeries labelled = series("a", {{1000, kOne}});
  pb::Label& label = *labelled.add_labels();
  label.set_name("replica");
  label.set_value("0");
  const auto plain = set_of({series("a", {{1000, kOne}})});
  Selection ignoring = kAll;
  ignoring.ignored_labels = {"replica"};
  CHECK(compare(plain, set_of({labelled}), 5).missing == 1);
  CHECK(compare(plain, set_of({labelled}, ignoring), 5).missing == 0);
}

TEST_CASE("only the window counts, both ends included") {
  const Selection window{2000, 3000, {}};
  CHECK(compare(set_of(kTwoSeries, window), set_of({}), 5).missing == 2);
}

class TempFile {
 public:
  TempFile()
      : path_(std::filesystem::temp_directory_path() / ("tideover-compare." + std::to_string(getpid()))) {}
  ~TempFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST_CASE("a dump reads back bit for bit, and one that is cut short is an error") {
  const TempFile file;
  {
    std::ofstream out(file.path(), std::ios::binary);
    for (const pb::TimeSeries& message : kTwoSeries) {
      REQUIRE(google::protobuf::util::SerializeDelimitedToOstream(message, &out));
    }
  }
  const auto whole = read_source(file.path(), kAll);
  REQUIRE(whole.has_value());
  const Difference difference = compare(set_of(kTwoSeries), *whole, 5);
  CHECK(difference.missing + difference.altered + difference.extra == 0);

  std::filesystem::resize_file(file.path(), std::filesystem::file_size(file.path()) - 1);
  CHECK_FALSE(read_source(file.path(), kAll).has_value());
  CHECK_FALSE(read_source(file.path() + ".absent", kAll).has_value());
}

}  // namespace
}  // namespace tideover::compare
