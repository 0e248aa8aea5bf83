#include "forwarders/thanos/thanos_destination.h"

#include <catch2/catch.hpp>

#include "forwarders/thanos/versions.h"
#include "tests/support/write_request_builder.h"

namespace tideover::thanos {
namespace {

using forward::Outgoing;
using forward::Part;
using remote_write::Version;
using test::contents_of;
using test::snappy_plain;
using test::stored_records;
using test::WriteRequest;

// Three samples of two series; sorted labels, so that it may pass through.
std::string request_of(Version version, std::int64_t at = 1'000) {
  return WriteRequest()
      .series({{"__name__", "up"}, {"job", "node"}})
      .sample(at, 1, version == Version::v2 ? 5 : 0)
      .sample(at + 1, 2)
      .series({{"__name__", "up"}, {"job", "other"}})
      .sample(at, 3)
      .encode(version);
}

Outgoing sent(forward::Load& load, Part part = {}, const forward::Memory& memory = {},
              std::uint32_t retry = 0) {
  Result<Outgoing> out = load.encode(part, retry, memory);
  REQUIRE(out.has_value());
  return std::move(*out);
}

std::string header(const Outgoing& out, std::string_view name) {
  return std::string(out.request.headers.find(name));
}

TEST_CASE("a lone sorted record goes out byte for byte, in the version in which it came") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const ThanosDestination destination({});
  const auto records = stored_records({request_of(version)}, version);
  const auto load = destination.load(records);
  const Outgoing out = sent(*load);
  CHECK(out.request.body == records[0].payload());
  CHECK(out.request.method == "POST");
  CHECK(header(out, "Content-Encoding") == "snappy");
  CHECK(header(out, "Content-Type") == (version == Version::v1
                                            ? "application/x-protobuf"
                                            : "application/x-protobuf;proto=io.prometheus.write.v2.Request"));
  CHECK(header(out, "X-Prometheus-Remote-Write-Version") == (version == Version::v1 ? "0.1.0" : "2.0.0"));
  CHECK_FALSE(out.request.headers.has("THANOS-TENANT"));
  CHECK_FALSE(out.request.headers.has("Retry-Attempt"));
  CHECK(out.sent.units == 3);
  CHECK(version_of(out.sent) == version);
  CHECK(out.beside.stripped == 0);
}

TEST_CASE("tenant, retries and further headers are said, the protocol's own stay") {
  ThanosOptions options;
  options.tenant = "app1";
  options.headers = {{"X-Cluster", "a"}, {"content-type", "text/plain"}};
  const ThanosDestination destination(options);
  const auto load = destination.load(stored_records({request_of(Version::v1)}, Version::v1));
  const Outgoing out = sent(*load, {}, {}, 3);
  CHECK(header(out, "THANOS-TENANT") == "app1");
  CHECK(header(out, "Retry-Attempt") == "3");
  CHECK(header(out, "X-Cluster") == "a");
  CHECK(header(out, "Content-Type") == "application/x-protobuf");
}

TEST_CASE("a request that would be too large to make is made in parts") {
  // Each name once in the table of 2.0, but once for each series in 1.0.
  WriteRequest request;
  for (int i = 0; i < 40; ++i)
    request.series({{"__name__", std::string(300'000, 'x')}, {"n", std::to_string(i)}}).sample(1'000, 1);
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({request.encode(Version::v2)}, Version::v2));
  CHECK(sent(*load).sent.units == 40);
  const forward::Memory as_1_0 = Versions{.only_v1 = true};
  CHECK(load->encode({}, 0, as_1_0).error().code == Errc::too_large);
  CHECK(load->encode({0, 15}, 0, as_1_0).error().code == Errc::too_large);
  CHECK(sent(*load, {0, 10}, as_1_0).sent.units == 10);
  CHECK(sent(*load, {39, 40}, as_1_0).sent.units == 1);
}

TEST_CASE("records that wait together leave as one request, up to its limits") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const ThanosDestination destination({});
  const auto records = stored_records(
      {request_of(version, 1'000), request_of(version, 2'000), request_of(version, 3'000)}, version);
  CHECK(destination.plan(records, {}) == 3);
  CHECK(destination.plan(records, {.units = 6}) == 2);
  CHECK(destination.plan(records, {.units = 1}) == 1);
  const auto load = destination.load(records);
  const Outgoing out = sent(*load);
  CHECK(out.sent.units == 9);
  CHECK(contents_of(snappy_plain(out.request.body), version).points.size() == 9);
}

TEST_CASE("external labels are added, and the labels come out sorted") {
  ThanosOptions options;
  options.external_labels = {{"cluster", "app1"}, {"job", "not this one"}};
  const ThanosDestination destination(options);
  const auto load = destination.load(stored_records({request_of(Version::v1)}, Version::v1));
  const auto contents = contents_of(snappy_plain(sent(*load).request.body), Version::v1);
  CHECK(contents.sorted);
  for (const auto& point : contents.points) {
    CHECK(point.labels.at("cluster") == "app1");
    CHECK(point.labels.at("job") != "not this one");
  }
}

TEST_CASE("unsorted labels are sorted before they leave") {
  const std::string raw =
      WriteRequest().series({{"job", "x"}, {"__name__", "up"}}).sample(1, 1).encode(Version::v1);
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({raw}, Version::v1));
  CHECK(contents_of(snappy_plain(sent(*load).request.body), Version::v1).sorted);
}

TEST_CASE("for a receiver without 2.0 a record becomes 1.0, and lost start timestamps are counted") {
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({request_of(Version::v2)}, Version::v2));
  const Outgoing out = sent(*load, {}, Versions{.only_v1 = true});
  CHECK(header(out, "X-Prometheus-Remote-Write-Version") == "0.1.0");
  CHECK(version_of(out.sent) == Version::v1);
  CHECK(out.sent.units == 3);
  CHECK(out.beside.stripped == 1);
  CHECK(contents_of(snappy_plain(out.request.body), Version::v1).points.size() == 3);
}

TEST_CASE("what a receiver has shown of the versions that it speaks is remembered") {
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({request_of(Version::v2)}, Version::v2));
  forward::Memory memory;
  forward::Verdict verdict;
  const auto learn = [&](forward::Action action) {
    verdict.action = action;
    destination.learn(sent(*load, {}, memory).sent, verdict, memory, Time{});
  };
  learn(forward::Action::retry);
  CHECK_FALSE(versions_of(memory).takes_v2);
  learn(forward::Action::advance);
  CHECK(versions_of(memory).takes_v2);
  CHECK(version_of(sent(*load, {}, memory).sent) == Version::v2);
  learn(forward::Action::downgrade);
  CHECK(version_of(sent(*load, {}, memory).sent) == Version::v1);
  learn(forward::Action::advance);
  CHECK(version_of(sent(*load, {}, memory).sent) == Version::v1);
}

TEST_CASE("a receiver that takes 1.0 has not shown that it takes 2.0") {
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({request_of(Version::v1)}, Version::v1));
  forward::Memory memory;
  forward::Verdict verdict;
  verdict.action = forward::Action::advance;
  destination.learn(sent(*load).sent, verdict, memory, Time{});
  CHECK_FALSE(versions_of(memory).takes_v2);
}

TEST_CASE("any two halves say together what the whole said") {
  const Version version = GENERATE(Version::v1, Version::v2);
  const ThanosDestination destination({});
  const auto load =
      destination.load(stored_records({request_of(version), request_of(version, 9'000)}, version));
  const auto whole = contents_of(snappy_plain(sent(*load).request.body), version);
  REQUIRE(load->items() == 6);
  for (std::size_t cut = 1; cut < 6; ++cut) {
    const Outgoing left = sent(*load, {0, cut});
    const Outgoing right = sent(*load, {cut, 6});
    CHECK(left.sent.units == load->units({0, cut}));
    CHECK(left.sent.units + right.sent.units == 6);
    auto points = contents_of(snappy_plain(left.request.body), version).points;
    for (const auto& point : contents_of(snappy_plain(right.request.body), version).points)
      points.push_back(point);
    CHECK(points == whole.points);
  }
}

TEST_CASE("what is carved for another lane is a record like any other, and can be sent from there") {
  const Version version = GENERATE(Version::v1, Version::v2);
  ThanosOptions options;
  options.external_labels = {{"cluster", "app1"}};
  const ThanosDestination destination(options);
  auto records = stored_records({request_of(version), request_of(version, 9'000)}, version);
  const auto load = destination.load(records);

  const auto whole = load->carve({});
  REQUIRE(whole.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(whole[i].payload() == records[i].payload());
    CHECK(whole[i].attributes.units == 3);
  }

  REQUIRE(load->items() == 6);
  const auto part = load->carve({1, 4});
  REQUIRE(part.size() == 1);
  const wal::Attributes& attributes = part[0].attributes;
  CHECK(attributes.units == 3);
  CHECK(attributes.encoding == static_cast<std::uint16_t>(version));
  CHECK((attributes.flags & remote_write::kSorted) != 0);
  CHECK(attributes.tallies[remote_write::kFloats] == 3);
  CHECK(attributes.oldest_ms == 1'000);
  CHECK(attributes.newest_ms == 9'000);
  const std::string raw = snappy_plain(part[0].payload());
  CHECK(attributes.raw_bytes == raw.size());
  const auto points = contents_of(raw, version).points;
  REQUIRE(points.size() == 3);
  CHECK(points[0].labels.count("cluster") == 0);  // added when it is sent, not before

  wal::StoredRecord stored;
  stored.seq = Seq{1};
  stored.attributes = attributes;
  stored.bytes = std::make_shared<const std::string>(part[0].bytes);
  const auto again = destination.load({stored});
  CHECK(sent(*again).sent.units == 3);
}

TEST_CASE("an item is described by its series") {
  const ThanosDestination destination({});
  const auto load = destination.load(stored_records({request_of(Version::v1)}, Version::v1));
  CHECK(load->describe({2, 3}) == "{__name__=\"up\", job=\"other\"}");
}

TEST_CASE(
    "a record that does not decode is cut off from its neighbours, and left to the receiver's judgement") {
  const ThanosDestination destination({});
  auto records = stored_records({request_of(Version::v2), request_of(Version::v2)}, Version::v2);
  std::string nonsense(wal::kEnvelopeBytes, '\0');
  nonsense += "\x05nonsense";
  records[1].bytes = std::make_shared<const std::string>(nonsense);
  const auto load = destination.load(records);
  CHECK(load->encode({}, 0, {}).has_error());
  REQUIRE(load->items() == 2);
  CHECK(sent(*load, {0, 1}).request.body == records[0].payload());
  CHECK(sent(*load, {1, 2}).request.body == records[1].payload());
  CHECK(load->units({1, 2}) == 3);
  REQUIRE(load->carve({1, 2}).size() == 1);
  CHECK(load->carve({1, 2})[0].payload() == records[1].payload());
}

}  // namespace
}  // namespace tideover::thanos
