#include <catch2/catch.hpp>

#include "forwarders/remote_write/scan.h"
#include "remote_write_v2.pb.h"
#include "tests/support/write_request_builder.h"

namespace tideover::remote_write {
namespace {

using Catch::Matchers::Contains;
using test::WriteRequest;

Scan scan_of(const std::string& raw) {
  const Result<Scan> result = scan(raw, Version::v2);
  REQUIRE(result.has_value());
  return *result;
}

// A message to be bent out of shape.
test::v2::Request plain_request() {
  test::v2::Request request;
  for (const char* symbol : {"", "__name__", "up", "job", "node"}) request.add_symbols(symbol);
  auto& series = *request.add_timeseries();
  for (const std::uint32_t ref : {1, 2, 3, 4}) series.add_labels_refs(ref);
  auto& sample = *series.add_samples();
  sample.set_value(1);
  sample.set_timestamp(1000);
  return request;
}

std::string fault_of(const test::v2::Request& request) {
  const Scan found = scan_of(request.SerializeAsString());
  return found.clean() ? "" : found.faults[0].sentence;
}

TEST_CASE("a scan of 2.0 counts what the request carries and how old it is") {
  WriteRequest request;
  request.series({{"__name__", "up"}, {"job", "node"}}).sample(2000, 1).sample(3000, 0).stale(4000);
  request.metadata({"", 2, "help", ""}).exemplar({{"trace", "abc"}}, 1, 9999);
  request.series({{"__name__", "rpc"}}).histogram(test::valid_histogram(1500));
  const Scan found = scan_of(request.encode(Version::v2));
  CHECK(found.clean());
  CHECK(found.counts.series == 2);
  CHECK(found.counts.floats == 3);
  CHECK(found.counts.histograms == 1);
  CHECK(found.counts.exemplars == 1);
  CHECK(found.counts.metadata == 1);  // an empty one, as Prometheus adds to every series, says nothing
  CHECK(found.oldest_ms == 1500);
  CHECK(found.newest_ms == 4000);
  CHECK(found.sorted);
  CHECK_FALSE(found.start_timestamps);
}

TEST_CASE("start timestamps are seen on samples and on histograms") {
  CHECK(scan_of(WriteRequest().series({{"__name__", "c"}}).sample(2, 1, 1).encode(Version::v2))
            .start_timestamps);
  auto histogram = test::valid_histogram(2);
  histogram.start_ms = 1;
  CHECK(scan_of(WriteRequest().series({{"__name__", "h"}}).histogram(histogram).encode(Version::v2))
            .start_timestamps);
}

TEST_CASE("references must be even in number and point into the table") {
  auto request = plain_request();
  REQUIRE(fault_of(request).empty());
  request.mutable_timeseries(0)->add_labels_refs(1);
  CHECK_THAT(fault_of(request), Contains("odd in number"));
  request = plain_request();
  request.mutable_timeseries(0)->set_labels_refs(3, 5);
  CHECK_THAT(fault_of(request), Contains("outside the table of 5 symbols"));
  request = plain_request();
  request.mutable_timeseries(0)->set_labels_refs(2, 0xffffffff);
  CHECK_THAT(fault_of(request), Contains("outside the table"));
  request = plain_request();
  request.clear_symbols();
  CHECK_THAT(fault_of(request), Contains("outside the table of 0 symbols"));
}

TEST_CASE("metadata and exemplars must refer into the table too") {
  auto request = plain_request();
  request.mutable_timeseries(0)->mutable_metadata()->set_help_ref(5);
  CHECK_THAT(fault_of(request), Contains("metadata"));
  request = plain_request();
  request.mutable_timeseries(0)->mutable_metadata()->set_unit_ref(5);
  CHECK_THAT(fault_of(request), Contains("metadata"));
  request = plain_request();
  request.mutable_timeseries(0)->add_exemplars()->add_labels_refs(3);
  CHECK_THAT(fault_of(request), Contains("exemplar"));
  request.mutable_timeseries(0)->mutable_exemplars(0)->add_labels_refs(5);
  CHECK_THAT(fault_of(request), Contains("exemplar"));
  request.mutable_timeseries(0)->mutable_exemplars(0)->set_labels_refs(1, 4);
  CHECK(fault_of(request).empty());
}

TEST_CASE("a series carries samples or histograms, not none and not both") {
  CHECK_THAT(fault_of([] {
               auto request = plain_request();
               request.mutable_timeseries(0)->clear_samples();
               return request;
             }()),
             Contains("neither a sample nor a histogram"));
  const std::string exemplar =
      WriteRequest().series({{"__name__", "up"}}).exemplar({{"trace", "a"}}, 1, 5).encode(Version::v2);
  CHECK(scan_of(exemplar).faulty_series == 1);
  const std::string both = WriteRequest()
                               .series({{"__name__", "h"}})
                               .sample(1, 1)
                               .histogram(test::valid_histogram(1))
                               .encode(Version::v2);
  CHECK_THAT(scan_of(both).faults[0].sentence, Contains("at once"));
}

TEST_CASE("the rules for labels are those of 1.0") {
  const auto fault = [](const test::Labels& labels) {
    const Scan found = scan_of(WriteRequest().series(labels).sample(1, 1).encode(Version::v2));
    return found.clean() ? "" : found.faults[0].sentence;
  };
  CHECK(fault({{"__name__", "up"}, {"größe", "日本"}}).empty());
  CHECK_THAT(fault({{"job", "node"}}), Contains("__name__"));
  CHECK_THAT(fault({{"__name__", "up"}, {"job", ""}}), Contains("empty"));
  CHECK_THAT(fault({{"__name__", "up"}, {"", "x"}}), Contains("empty"));
  CHECK_THAT(fault({{"__name__", "up"}, {"job", "\xff"}}), Contains("UTF-8"));
  CHECK_THAT(fault({{"__name__", "up"}, {"a", "x"}, {"a", "y"}}), Contains("twice"));
  CHECK_THAT(fault({}), Contains("no labels"));
  CHECK_FALSE(
      scan_of(WriteRequest().series({{"b", "x"}, {"__name__", "up"}}).sample(1, 1).encode(Version::v2))
          .sorted);
}

TEST_CASE("a symbol that is not UTF-8 faults only what uses it") {
  WriteRequest request;
  request.series({{"__name__", "good"}, {"job", "node"}}).sample(1, 1);
  request.series({{"__name__", "bad"}, {"job", "\xff"}}).sample(1, 1);
  request.series({{"__name__", "bad_help"}}).sample(1, 1).metadata({"", 1, "\xfe", ""});
  request.series({{"__name__", "bad_exemplar"}}).sample(1, 1).exemplar({{"trace", "\xfd"}}, 1, 1);
  const std::string raw = request.encode(Version::v2);
  const Scan found = scan_of(raw);
  CHECK(found.counts.series == 1);
  CHECK(found.faulty_series == 3);
  const std::string rest = without_faults(raw, Version::v2);
  CHECK(scan_of(rest).clean());
  CHECK(test::samples_of(rest, Version::v2).size() == 1);
  CHECK(rest.find_first_of("\xff\xfe\xfd") == std::string::npos);  // a strict receiver would refuse it all
}

TEST_CASE("references may come unpacked, in pieces, and the table after the series") {
  const auto request = plain_request();
  std::string symbols;
  for (const char* symbol : {"", "__name__", "up", "job", "node"}) {
    symbols += '\x22';
    symbols += static_cast<char>(std::string_view(symbol).size());
    symbols += symbol;
  }
  const std::string sample = "\x12\x0c\x09" + std::string(8, '\0') + "\x10\xe8\x07";
  const std::string body = "\x08\x01" + std::string("\x0a\x02\x02\x03", 4) + sample + "\x08\x04";
  const std::string series = '\x2a' + std::string(1, static_cast<char>(body.size())) + body;
  for (const std::string& raw :
       {symbols + series, series + symbols, symbols.substr(0, 2) + series + symbols.substr(2)}) {
    const Scan found = scan_of(raw);
    CHECK(found.clean());
    CHECK(found.counts.floats == 1);
    CHECK(found.sorted);
    CHECK(found.newest_ms == 1000);
    CHECK(without_faults(raw, Version::v2) == raw);
    CHECK(test::samples_of(raw, Version::v2).size() == 1);
  }
}

// Found by fuzzing: a merge knows one empty text, and counted what it sent as less than what it had taken.
TEST_CASE("metadata that refers to an empty text says nothing") {
  auto request = plain_request();
  request.add_symbols("");
  request.mutable_timeseries(0)->mutable_metadata()->set_help_ref(
      static_cast<std::uint32_t>(request.symbols_size() - 1));
  const auto found = scan_of(request.SerializeAsString());
  CHECK(found.clean());
  CHECK(found.counts.metadata == 0);
}

TEST_CASE("metadata that comes in parts is one metadata") {
  auto request = plain_request();
  std::string raw = request.SerializeAsString();
  // Two fields of metadata in one series: type in one, help in the other.
  request.mutable_timeseries(0)->mutable_metadata()->set_type(1);
  std::string body = request.timeseries(0).SerializeAsString() + "\x2a\x02\x18\x04";
  request.clear_timeseries();
  raw = request.SerializeAsString() + '\x2a' + static_cast<char>(body.size()) + body;
  CHECK(scan_of(raw).counts.metadata == 1);
  CHECK(scan_of(raw).clean());
}

TEST_CASE("a table that does not begin with the empty symbol is no 2.0 message") {
  auto request = plain_request();
  request.set_symbols(0, "x");
  CHECK(scan(request.SerializeAsString(), Version::v2).error().code == Errc::bad_input);
}

TEST_CASE("a request without its faulty series is the rest, and the table stays") {
  WriteRequest mixed;
  mixed.series({{"__name__", "good"}}).sample(1, 1, 1);
  mixed.series({{"__name__", "bad"}, {"job", ""}}).sample(2, 2);
  mixed.series({{"__name__", "also_good"}}).histogram(test::valid_histogram(3));
  const std::string rest = without_faults(mixed.encode(Version::v2), Version::v2);
  const Scan found = scan_of(rest);
  CHECK(found.clean());
  CHECK(found.counts.floats == 1);
  CHECK(found.counts.histograms == 1);
  CHECK(found.start_timestamps);
  WriteRequest good;
  good.series({{"__name__", "good"}}).sample(1, 1, 1);
  good.series({{"__name__", "also_good"}}).histogram(test::valid_histogram(3));
  CHECK(test::samples_of(rest, Version::v2) == test::samples_of(good.encode(Version::v2), Version::v2));
}

TEST_CASE("a message of the other version is no message of 2.0") {
  const std::string v1 = WriteRequest().series({{"__name__", "up"}}).sample(1, 1).encode(Version::v1);
  // Fields 1 to 3 are reserved: it decodes, and says nothing.
  CHECK(scan_of(v1).counts.series == 0);
  const std::string v2 = WriteRequest().series({{"__name__", "up"}}).sample(1, 1).encode(Version::v2);
  CHECK(scan(v2, Version::v1)->counts.series == 0);
}

TEST_CASE("a truncated 2.0 message is refused as a whole") {
  const std::string good = plain_request().SerializeAsString();
  const std::size_t table = good.find('\x2a');  // a cut between two symbols leaves a valid message
  for (std::size_t cut = table + 1; cut < good.size(); ++cut)
    CHECK(scan(good.substr(0, cut), Version::v2).has_error());
}

}  // namespace
}  // namespace tideover::remote_write
