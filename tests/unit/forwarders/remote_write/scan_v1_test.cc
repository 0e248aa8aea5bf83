#include <catch2/catch.hpp>
#include <limits>

#include "forwarders/remote_write/scan.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

using test::Labels;
using test::samples_of;
using test::WriteRequest;

Scan scan_of(const WriteRequest& request) {
  const Result<Scan> result = scan(request.encode(Version::v1), Version::v1);
  REQUIRE(result.has_value());
  return *result;
}

// The fault that a series with these labels is answered with; empty when it is accepted.
std::string fault_of_labels(const Labels& labels) {
  const Scan found = scan_of(WriteRequest().series(labels).sample(1, 1));
  CHECK(found.clean() == found.faults.empty());
  return found.clean() ? "" : found.faults[0].sentence;
}

bool decodes(std::string_view raw) {
  const Result<Scan> result = scan(raw, Version::v1);
  if (!result) CHECK(result.error().code == Errc::bad_input);
  return result.has_value();
}

TEST_CASE("a scan of 1.0 counts what the request carries and how old it is") {
  WriteRequest request;
  request.series({{"__name__", "up"}, {"job", "node"}}).sample(2000, 1).sample(3000, 0).stale(4000);
  request.series({{"__name__", "rpc"}}).histogram(test::valid_histogram(1500));
  request.exemplar({{"trace", "abc"}}, 1, 9999);
  request.metadata({"up", 2, "help", ""}).metadata({"rpc", 3, "help", ""});
  const Scan found = scan_of(request);
  CHECK(found.clean());
  CHECK(found.counts.series == 2);
  CHECK(found.counts.floats == 3);
  CHECK(found.counts.histograms == 1);
  CHECK(found.counts.exemplars == 1);
  CHECK(found.counts.metadata == 2);
  CHECK(found.oldest_ms == 1500);
  CHECK(found.newest_ms == 4000);
  CHECK(found.sorted);
  CHECK_FALSE(found.start_timestamps);
}

TEST_CASE("an empty body is a valid request that carries nothing") {
  const Result<Scan> found = scan("", Version::v1);
  REQUIRE(found.has_value());
  CHECK(found->clean());
  CHECK(found->counts.series == 0);
  CHECK(found->oldest_ms == 0);
  CHECK(found->newest_ms == 0);
}

TEST_CASE("timestamps are any int64, and absent ones are 0") {
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto most = std::numeric_limits<std::int64_t>::max();
  const Scan found = scan_of(WriteRequest().series({{"__name__", "up"}}).sample(least, 1).sample(most, 1));
  CHECK(found.oldest_ms == least);
  CHECK(found.newest_ms == most);
  const Scan absent = scan_of(WriteRequest().series({{"__name__", "up"}}).sample(0, 1));
  CHECK(absent.counts.floats == 1);
  CHECK(absent.oldest_ms == 0);
  CHECK(absent.newest_ms == 0);
}

TEST_CASE("labels that break a rule fault their series in words") {
  using Catch::Matchers::Contains;
  CHECK(fault_of_labels({{"__name__", "up"}, {"job", "node"}}).empty());
  CHECK_THAT(fault_of_labels({}), Contains("no labels"));
  CHECK_THAT(fault_of_labels({{"job", "node"}}), Contains("__name__"));
  CHECK_THAT(fault_of_labels({{"", "x"}, {"__name__", "up"}}), Contains("name of label 1 is empty"));
  CHECK_THAT(fault_of_labels({{"__name__", "up"}, {"job", ""}}), Contains("value of label \"job\" is empty"));
  CHECK_THAT(fault_of_labels({{"__name__", "up"}, {"job", "a"}, {"job", "b"}}),
             Contains("\"job\" appears twice"));
  CHECK_THAT(fault_of_labels({{"job", "a"}, {"__name__", "up"}, {"job", "b"}}),
             Contains("\"job\" appears twice"));
  CHECK_THAT(fault_of_labels({{"__name__", "up"}, {"job", "caf\xe9"}}),
             Contains("\"job\" is not valid UTF-8"));
  CHECK_THAT(fault_of_labels({{"__name__", "up"}, {"j\xff", "x"}}), Contains("not valid UTF-8"));
}

TEST_CASE("any UTF-8 will do for names and values") {
  CHECK(fault_of_labels({{"__name__", "a metric.with\nspaces"}, {"größe", "日本語 🙂"}}).empty());
  const std::string long_text(1000, 'x');
  CHECK(fault_of_labels({{"__name__", long_text}, {long_text, long_text}}).empty());
}

TEST_CASE("the metric name is found wherever it sorts") {
  CHECK(fault_of_labels({{"A", "1"}, {"B", "2"}, {"__name__", "up"}}).empty());
  CHECK(fault_of_labels({{"__name_", "x"}, {"__name___", "x"}}).find("__name__") != std::string::npos);
}

TEST_CASE("labels out of order are accepted, and the scan says so") {
  const auto sorted = [](const Labels& labels) {
    const Scan found = scan_of(WriteRequest().series(labels).sample(1, 1));
    CHECK(found.clean());
    return found.sorted;
  };
  CHECK(sorted({{"__name__", "up"}, {"job", "x"}}));
  CHECK_FALSE(sorted({{"job", "x"}, {"__name__", "up"}}));
  // Names of every length around the eight bytes that are compared at once.
  CHECK(sorted({{"__name__", "x"},
                {"a", "x"},
                {"ab", "x"},
                {"abcd", "x"},
                {"abcde", "x"},
                {"abcdefgh", "x"},
                {"abcdefghi", "x"}}));
  CHECK_FALSE(sorted({{"__name__", "x"}, {"abcdefghj", "x"}, {"abcdefghi", "x"}}));
  CHECK_FALSE(sorted({{"__name__", "x"}, {"abcdefghi", "x"}, {"abcdefgh", "x"}}));
  CHECK_FALSE(sorted({{"__name__", "x"}, {"abcde", "x"}, {"abcd", "x"}}));
  CHECK_FALSE(sorted({{"__name__", "x"}, {"abd", "x"}, {"abc", "x"}}));
  CHECK(
      sorted({{"__name__", "x"}, {"a", "x"}, {std::string("a\0", 2), "x"}, {std::string("a\0\0", 3), "x"}}));
  CHECK_FALSE(sorted({{"__name__", "x"}, {std::string("a\0", 2), "x"}, {"a", "x"}}));
  CHECK(sorted({{"__name__", "x"}, {"z", "x"}, {"\xc3\xa9", "x"}}));  // bytes are unsigned
}

TEST_CASE("a request without its faulty series is the rest, byte for byte") {
  WriteRequest mixed;
  mixed.series({{"__name__", "good"}}).sample(1, 1);
  mixed.series({{"__name__", "bad"}, {"job", ""}}).sample(2, 2);
  mixed.series({{"__name__", "also_good"}, {"a", "b"}}).stale(3).exemplar({{"t", "1"}}, 1, 3);
  mixed.metadata({"good", 1, "help", "unit"});
  WriteRequest rest;
  rest.series({{"__name__", "good"}}).sample(1, 1);
  rest.series({{"__name__", "also_good"}, {"a", "b"}}).stale(3).exemplar({{"t", "1"}}, 1, 3);
  rest.metadata({"good", 1, "help", "unit"});

  const Scan found = scan_of(mixed);
  CHECK(found.faulty_series == 1);
  CHECK(found.counts.series == 2);
  CHECK(found.counts.floats == 2);
  CHECK(found.oldest_ms == 1);
  CHECK(found.newest_ms == 3);
  REQUIRE(found.faults.size() == 1);
  CHECK(found.faults[0].series == 1);
  CHECK(without_faults(mixed.encode(Version::v1), Version::v1) == rest.encode(Version::v1));
}

TEST_CASE("many faults are all counted, and the first few are told") {
  WriteRequest request;
  for (int i = 0; i < 100; ++i) request.series({{"__name__", ""}}).sample(1, 1);
  const Scan found = scan_of(request);
  CHECK(found.faulty_series == 100);
  CHECK(found.counts.floats == 0);
  CHECK(!found.faults.empty());
  CHECK(found.faults.size() < 20);
  CHECK(without_faults(request.encode(Version::v1), Version::v1).empty());
}

TEST_CASE("a sentence stays short and plain whatever the labels hold") {
  Labels labels{{"__name__", std::string(100'000, 'x')}, {"evil", "\r\n\x01\xff\"\\"}};
  const std::string sentence = fault_of_labels(labels);
  CHECK(sentence.size() < 2000);
  for (const char c : sentence) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(fault_of_labels({{"evil\n\xff", ""}, {"__name__", "x"}}).find("evil\\x0a\\xff") != std::string::npos);
}

TEST_CASE(
    "metadata and exemplars that are not UTF-8 are faults, since a strict receiver would refuse the "
    "request") {
  const Scan metadata =
      scan_of(WriteRequest().series({{"__name__", "up"}}).sample(1, 1).metadata({"up", 1, "\xff", ""}));
  CHECK(metadata.faulty_series == 1);
  CHECK(metadata.counts.metadata == 0);
  CHECK(metadata.counts.floats == 1);
  const Scan exemplar =
      scan_of(WriteRequest().series({{"__name__", "up"}}).sample(1, 1).exemplar({{"trace", "\xff"}}, 1, 1));
  CHECK(exemplar.faulty_series == 1);
  CHECK(exemplar.counts.floats == 0);
}

TEST_CASE("an invalid histogram faults its series and no other") {
  auto broken = test::valid_histogram(1);
  broken.count = 11;
  const Scan found = scan_of(
      WriteRequest().series({{"__name__", "h"}}).histogram(broken).series({{"__name__", "up"}}).sample(1, 1));
  CHECK(found.faulty_series == 1);
  CHECK(found.counts.histograms == 0);
  CHECK(found.counts.floats == 1);
  CHECK_THAT(found.faults[0].sentence, Catch::Matchers::Contains("the count is 11, the buckets hold 12"));
}

TEST_CASE("exemplars alone, as Prometheus sends them in 1.0, are a valid series") {
  const Scan found = scan_of(WriteRequest().series({{"__name__", "up"}}).exemplar({{"trace", "a"}}, 1, 5));
  CHECK(found.clean());
  CHECK(found.counts.exemplars == 1);
  CHECK(found.counts.floats == 0);
}

TEST_CASE("bytes that are no protobuf message are refused as a whole") {
  const std::string good = WriteRequest().series({{"__name__", "up"}}).sample(1, 1).encode(Version::v1);
  REQUIRE(decodes(good));
  for (std::size_t cut = 1; cut < good.size(); ++cut) CHECK_FALSE(decodes(good.substr(0, cut)));
  CHECK_FALSE(decodes("hello, world"));
  CHECK_FALSE(decodes(std::string(1, '\0')));
  CHECK_FALSE(decodes("\x0a\xff\xff\xff\xff\x0f"));                          // a length past the end
  CHECK_FALSE(decodes("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));  // a varint without an end
  CHECK_FALSE(decodes("\x08\x01"));                                          // timeseries as a number
  CHECK_FALSE(decodes("\x1d\x01\x02\x03\x04"));                              // metadata as a fixed32
  CHECK_FALSE(decodes("\x0e"));                                              // wire type 6
  CHECK_FALSE(decodes("\x04"));                                              // field number 0
}

TEST_CASE("unknown fields are skipped, whatever their type") {
  const std::string known = WriteRequest().series({{"__name__", "up"}}).sample(1, 1).encode(Version::v1);
  const std::string number = "\xa0\x06\x96\x01";
  const std::string fixed64 = "\xa1\x06" + std::string(8, 'x');
  const std::string bytes = "\xa2\x06\x03xyz";
  const std::string group = "\xa3\x06" + number + bytes + "\xa4\x06";
  const std::string fixed32 = "\xa5\x06" + std::string(4, 'x');
  const std::string unknown = number + fixed64 + bytes + group + fixed32;
  const Result<Scan> found = scan(unknown + known + unknown, Version::v1);
  REQUIRE(found.has_value());
  CHECK(found->clean());
  CHECK(found->counts.floats == 1);
  CHECK(without_faults(unknown + known, Version::v1) == unknown + known);
  CHECK_FALSE(decodes(known + "\xa3\x06" + number));  // a group without an end
  CHECK_FALSE(decodes(known + "\xa3\x06\xac\x06"));   // a group with another's end
  CHECK_FALSE(decodes(known + "\xa4\x06"));           // an end without a group
}

TEST_CASE("groups nested without end do not exhaust the stack") {
  std::string nested;
  for (int i = 0; i < 1'000'000; ++i) nested += "\xa3\x06";
  CHECK_FALSE(decodes(nested));
}

}  // namespace
}  // namespace tideover::remote_write
