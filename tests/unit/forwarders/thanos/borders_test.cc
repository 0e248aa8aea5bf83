// Where one verdict ends and the next begins, and what a record that is cut out of others says of itself.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "forwarders/thanos/classify.h"
#include "forwarders/thanos/thanos_destination.h"
#include "tests/support/write_request_builder.h"

namespace tideover::thanos {
namespace {

using forward::Action;
using forward::History;
using forward::Part;
using forward::Sent;
using forward::Verdict;
using remote_write::Version;
using test::WriteRequest;
using wal::Reason;

Verdict of_409(std::uint64_t sent, const std::string& causes) {
  return classify({sent, Version::v1}, http::Response{409, {}, "writing locally: " + causes}, History{},
                  Versions{});
}

Verdict of_400_alone(const std::string& text) {
  return classify({1, Version::v1}, http::Response{400, {}, text}, History{.divisible = false}, Versions{});
}

TEST_CASE("what the window refuses is looked for when it is less than half, and parked whole from half on") {
  const std::string cause = GENERATE("out of bounds", "too old sample");
  const auto refused = [&cause](int n) {
    return of_409(500, "add " + std::to_string(n) + " samples: " + cause);
  };
  CHECK(refused(1).action == Action::bisect);
  CHECK(refused(3).action == Action::bisect);
  CHECK(refused(249).action == Action::bisect);
  CHECK(refused(250).action == Action::park);
  CHECK(refused(251).action == Action::park);
  CHECK(refused(500).action == Action::park);
  for (const int n : {1, 250, 500}) {
    CHECK(refused(n).reason == Reason::out_of_bounds);
    CHECK(refused(n).rest_stored);
  }
}

TEST_CASE("of several causes the window decides, for it is the one that time may mend") {
  const Verdict verdict =
      of_409(500, "2 errors: add 3 samples: out of order sample; add 400 samples: out of bounds");
  CHECK(verdict.action == Action::park);
  CHECK(verdict.reason == Reason::out_of_bounds);
}

TEST_CASE("exemplars that were written stand for no sample that was not") {
  http::Response response{204, {}, ""};
  response.headers.add("X-Prometheus-Remote-Write-Samples-Written", "7");
  response.headers.add("X-Prometheus-Remote-Write-Histograms-Written", "1");
  response.headers.add("X-Prometheus-Remote-Write-Exemplars-Written", "5");
  CHECK(classify({10, Version::v2}, response, History{}, Versions{}).beside.under_reported == 2);
  CHECK(classify({8, Version::v2}, response, History{}, Versions{}).beside.under_reported == 0);
}

TEST_CASE("each header of a request is sent once, the protocol's own as the protocol wants it") {
  ThanosOptions options;
  options.headers = {{"content-type", "text/plain"}, {"user-agent", "me"}, {"x-team", "a"}};
  options.user_agent = "tideover/1";
  const ThanosDestination destination(options);
  const std::string raw = WriteRequest().series({{"__name__", "up"}}).sample(1, 1).encode(Version::v1);
  const auto out = destination.load(test::stored_records({raw}, Version::v1))->encode({}, 0, {});
  REQUIRE(out.has_value());
  for (const auto& [name, value] : out->request.headers.fields()) {
    CAPTURE(name, value);
    const auto& fields = out->request.headers.fields();
    CHECK(std::count_if(fields.begin(), fields.end(), [&name = name](const auto& field) {
            return http::same_name(field.first, name);
          }) == 1);
  }
  CHECK(out->request.headers.find("User-Agent") == "tideover/1");
  CHECK(out->request.headers.find("x-team") == "a");
}

TEST_CASE("a record cut out of others keeps their arrival, their times and what they are marked with") {
  const std::string first =
      WriteRequest().series({{"__name__", "a"}}).sample(9'000, 1).sample(8'000, 1).encode(Version::v2);
  const std::string second = WriteRequest()
                                 .series({{"__name__", "b"}})
                                 .sample(3'000, 1, 50)
                                 .sample(5'000, 1, 50)
                                 .encode(Version::v2);
  const std::string third = WriteRequest().series({{"__name__", "c"}}).sample(7'000, 1).encode(Version::v2);
  auto records = test::stored_records({first, second, third}, Version::v2);
  REQUIRE((records[1].attributes.flags & remote_write::kStartTimestamps) != 0);
  records[0].attributes.flags |= remote_write::kStaleMarkers;
  records[0].attributes.arrival_ms = 300;
  records[1].attributes.arrival_ms = 100;
  records[2].attributes.arrival_ms = 200;
  ThanosOptions options;
  options.external_labels = {{"site", "here"}};  // added when it is sent, and only then
  const ThanosDestination destination(options);
  const auto load = destination.load(records);
  REQUIRE(load->items() == 5);
  const auto carved = load->carve(Part{1, 4});
  REQUIRE(carved.size() == 1);
  const wal::Attributes& a = carved[0].attributes;
  CHECK(a.arrival_ms == 100);
  CHECK(a.oldest_ms == 3'000);
  CHECK(a.newest_ms == 8'000);
  CHECK(a.units == 3);
  CHECK(a.tallies[remote_write::kFloats] == 3);
  CHECK(a.flags == (remote_write::kSorted | remote_write::kStartTimestamps | remote_write::kStaleMarkers));
  const std::string raw = test::snappy_plain(carved[0].payload());
  CHECK(a.raw_bytes == raw.size());
  const auto points = test::samples_of(raw, Version::v2);
  REQUIRE(points.size() == 3);
  CHECK(points[0].timestamp_ms == 8'000);
  CHECK(points[1].start_ms == 50);
  for (const test::Point& point : points) CHECK_FALSE(point.labels.contains("site"));
}

TEST_CASE("what is rejected alone has the reason that the receiver gave") {
  const auto reason = [](const char* text) { return of_400_alone(text).reason; };
  CHECK(reason("out of order sample\n") == Reason::out_of_order);
  CHECK(reason("duplicate sample for timestamp\n") == Reason::duplicate);
  CHECK(reason("too old sample\n") == Reason::out_of_bounds);
  CHECK(reason("histogram has negative count\n") == Reason::bad_request);
}

TEST_CASE("a refusal in words that are known speaks of the data, any other may speak of anything") {
  const auto understood = [](const char* text) { return of_400_alone(text).understood; };
  CHECK(understood("out of order sample\n"));
  CHECK(understood("duplicate sample for timestamp\n"));
  CHECK(understood("invalid metric name or labels\n"));
  CHECK(understood("histogram has a bucket whose observation count is negative\n"));
  CHECK_FALSE(understood("tenant name not valid\n"));
  CHECK_FALSE(understood("unsupported path requested: \"/api/v1/receive\"\n"));
}

}  // namespace
}  // namespace tideover::thanos
