// What intake says of a request: to the metrics, and to the record for everyone who reads it later.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/ingest/fixture.h"

namespace tideover::ingest {
namespace {

using remote_write::Version;
using test::WriteRequest;
using Fixture = test::IntakeFixture;

// Another number of each kind, so that none can stand for another.
WriteRequest one_of_each_number() {
  WriteRequest request;
  request.series({{"__name__", "up"}, {"job", "a"}});
  for (int i = 0; i < 5; ++i) request.sample(1000 + i, i);
  for (int i = 0; i < 3; ++i) request.exemplar({{"trace_id", std::to_string(i)}}, i, 1000 + i);
  request.metadata({"up", 2, "Whether it is up.", ""});
  request.series({{"__name__", "latency"}, {"job", "a"}});
  request.histogram(test::valid_histogram(500)).histogram(test::valid_histogram(2500));
  return request;
}

TEST_CASE("what a request held is counted by kind, in the metrics and in the record's attributes") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Fixture f;
  const std::string raw = one_of_each_number().encode(version);
  const std::string body = test::snappy_block(raw);
  REQUIRE(f.post(version, raw).status == 204);
  CHECK(f.metrics.floats == 5);
  CHECK(f.metrics.histograms == 2);
  CHECK(f.metrics.exemplars == 3);
  CHECK(f.metrics.metadata == 1);
  CHECK(f.metrics.body_bytes == body.size());
  CHECK(f.metrics.raw_bytes == raw.size());
  CHECK(f.metrics.newest_ms == 2500);
  CHECK(f.metrics.faulty_series == 0);

  const auto records = f.stored();
  REQUIRE(records.size() == 1);
  const wal::Attributes& a = records[0].attributes;
  CHECK(a.encoding == static_cast<std::uint16_t>(version));
  CHECK(a.units == 7);
  CHECK(a.raw_bytes == raw.size());
  CHECK(a.tallies[remote_write::kFloats] == 5);
  CHECK(a.tallies[remote_write::kHistograms] == 2);
  CHECK(a.tallies[remote_write::kExemplars] == 3);
  CHECK(a.tallies[remote_write::kMetadata] == 1);
  CHECK(a.oldest_ms == 500);
  CHECK(a.newest_ms == 2500);
  const std::int64_t now_ms = to_unix_ms(f.clock.wall_now());
  CHECK(a.arrival_ms <= now_ms);
  CHECK(a.arrival_ms > now_ms - 60'000);
  CHECK(a.flags == remote_write::kSorted);
  REQUIRE(f.post(version, raw).status == 204);
  CHECK(f.metrics.floats == 10);
  CHECK(f.metrics.body_bytes == 2 * body.size());
}

TEST_CASE("the sizes of a request without its faulty series are those of what is kept") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Fixture f;
  const std::string long_text(5000, 'x');
  const std::string raw = WriteRequest()
                              .series({{"__name__", "good"}, {"job", "a"}})
                              .sample(1000, 1.0)
                              .series({{"__name__", "bad"}, {"", long_text}})
                              .sample(9000, 2.0)
                              .series({{"__name__", "worse"}, {"", long_text}})
                              .sample(9000, 2.0)
                              .encode(version);
  const http::Response response = f.post(version, raw);
  CHECK(response.status == 400);
  CHECK(response.body.find("1 more series") != std::string::npos);
  CHECK(f.metrics.faulty_series == 2);
  const auto records = f.stored();
  REQUIRE(records.size() == 1);
  const std::string kept = test::snappy_plain(records[0].payload());
  CHECK(records[0].attributes.raw_bytes == kept.size());
  CHECK(f.metrics.raw_bytes == kept.size());
  CHECK(f.metrics.body_bytes == records[0].payload().size());
  CHECK(f.metrics.floats == 1);
  CHECK(f.metrics.newest_ms == 1000);
  CHECK(records[0].attributes.units == 1);
}

TEST_CASE("flags say what a sender need not find out again: sorted labels, start timestamps, stale markers") {
  Fixture f;
  const auto flags_of = [&f](const WriteRequest& request, Version version) {
    CHECK(f.post(version, request.encode(version)).status == 204);
    return f.stored().back().attributes.flags;
  };
  const auto one = [](test::Labels labels, std::int64_t start_ms) {
    WriteRequest request;
    request.series(std::move(labels)).sample(1000, 1, start_ms);
    return request;
  };
  const test::Labels sorted{{"__name__", "up"}, {"a", "1"}, {"b", "2"}};
  const test::Labels unsorted{{"__name__", "up"}, {"b", "2"}, {"a", "1"}};
  CHECK(flags_of(one(sorted, 0), Version::v1) == remote_write::kSorted);
  CHECK(flags_of(one(unsorted, 0), Version::v1) == 0);
  CHECK(flags_of(one(sorted, 0), Version::v2) == remote_write::kSorted);
  CHECK(flags_of(one(sorted, 10), Version::v2) == (remote_write::kSorted | remote_write::kStartTimestamps));
  CHECK(flags_of(one(unsorted, 10), Version::v2) == remote_write::kStartTimestamps);
  for (const Version version : {Version::v1, Version::v2}) {
    const auto with = [&](std::uint64_t bits) {
      WriteRequest request;
      request.series(sorted).sample(1'000, 1).sample(2'000, std::bit_cast<double>(bits));
      return flags_of(request, version);
    };
    CHECK(with(0x7ff0000000000002) == (remote_write::kSorted | remote_write::kStaleMarkers));
    CHECK(with(0x7ff8000000000001) == remote_write::kSorted);  // an ordinary NaN
  }
}

TEST_CASE("the newest timestamp stays the newest when older samples come") {
  Fixture f;
  for (const std::int64_t ms : {2'000, 5'000, 3'000})
    CHECK(f.post(Version::v1, WriteRequest().series({{"__name__", "up"}}).sample(ms, 1).encode(Version::v1))
              .status == 204);
  CHECK(f.metrics.newest_ms == 5'000);
}

TEST_CASE("a request of metadata or exemplars alone is stored like any other") {
  Fixture f;
  SECTION("metadata, in entries of its own") {
    CHECK(f.post(Version::v1, WriteRequest().metadata({"up", 2, "Help.", ""}).encode(Version::v1)).status ==
          204);
    CHECK(f.metrics.metadata == 1);
  }
  SECTION("exemplars") {
    const std::string raw = WriteRequest()
                                .series({{"__name__", "up"}})
                                .exemplar({{"trace_id", "1"}}, 1, 1'000)
                                .encode(Version::v1);
    CHECK(f.post(Version::v1, raw).status == 204);
    CHECK(f.metrics.exemplars == 1);
  }
  REQUIRE(f.stored().size() == 1);
  CHECK(f.stored()[0].attributes.units == 0);
}

TEST_CASE("every request is counted once, under its protocol and its answer") {
  Fixture f;
  const auto count = [&f](Protocol protocol, Answer kind) {
    return f.metrics.requests[static_cast<std::size_t>(protocol)][static_cast<std::size_t>(kind)];
  };
  const auto [version, protocol] =
      GENERATE(std::pair(Version::v1, Protocol::rw1), std::pair(Version::v2, Protocol::rw2));
  std::uint64_t expected = 0;
  const auto only = [&](Protocol p, Answer kind) {
    std::uint64_t all = 0;
    for (const auto& answers : f.metrics.requests)
      for (const std::uint64_t n : answers) all += n;
    CHECK(all == ++expected);
    CHECK(count(p, kind) == 1);
  };
  const std::string good = one_of_each_number().encode(version);
  (void)f.post(version, good);
  only(protocol, Answer::stored);
  (void)f.post(version, WriteRequest().series({{"job", "nameless"}}).sample(1, 1).encode(version));
  only(protocol, Answer::partly_stored);
  (void)f.post(version, "\x0a\x7f truncated");
  only(protocol, Answer::undecodable);
  (void)f.run(f.intake->handle(Fixture::request(version, "\x80\x80\x80\x80\x08 rest")));
  only(protocol, Answer::too_large);
  http::Request other = Fixture::request(version, "");
  other.headers = {{"Content-Type", "application/json"}};
  (void)f.run(f.intake->handle(other));
  only(Protocol::unknown, Answer::unsupported);
  f.store.fail_commits_until_healed(Errc::disk_full);
  CHECK(f.post(version, good).status == 503);
  only(protocol, Answer::refused);
  CHECK(f.metrics.floats == 5);  // of what was stored
}

TEST_CASE("the largest of what was refused is known for a minute, whatever smaller was stored since") {
  Fixture f;
  const std::string raw = one_of_each_number().encode(Version::v1);
  const std::size_t record_bytes = wal::kEnvelopeBytes + test::snappy_block(raw).size();
  f.store.fail_next_commit(Errc::io_error);
  CHECK(f.post(Version::v1, raw).status == 503);
  CHECK(f.metrics.refused.bytes(f.clock.now()) == record_bytes);
  while (f.post(Version::v1, raw).status != 204)
    CHECK(f.metrics.refused.bytes(f.clock.now()) == record_bytes);
  CHECK(f.metrics.refused.bytes(f.clock.now()) == record_bytes);
  CHECK(f.metrics.refused.bytes(f.clock.now() + std::chrono::minutes(1)) == 0);

  RefusedSize refused;
  const Time now{std::chrono::hours(1)};
  refused.note(100, now);
  refused.note(50, now + std::chrono::seconds(59));
  CHECK(refused.bytes(now + std::chrono::seconds(59)) == 100);
  CHECK(refused.bytes(now + std::chrono::seconds(60)) == 0);
  refused.note(50, now + std::chrono::seconds(60));
  CHECK(refused.bytes(now + std::chrono::seconds(61)) == 50);
}

TEST_CASE("an agent that stops is asked again in a second, a disk that fails in five") {
  Fixture f;
  const http::Request head = Fixture::request(Version::v1, "");
  f.store.fail_opens_until_healed(Errc::io_error);
  f.store.fail_next_commit(Errc::io_error);
  CHECK(f.post(Version::v1, one_of_each_number().encode(Version::v1)).status == 503);
  CHECK(f.intake->check(head)->headers.find("Retry-After") == "5");
  f.loop.run(f.queue.stop());
  CHECK(f.intake->check(head)->headers.find("Retry-After") == "1");
}

TEST_CASE("a request that has no room is turned away from its head, by the length that it declares") {
  Fixture f;
  http::Request head = Fixture::request(Version::v1, "");
  head.headers.add("Content-Length", "1000");
  CHECK_FALSE(f.intake->check(head));
  head = Fixture::request(Version::v1, "");
  wal::NewRecord most;
  most.bytes.assign(900 << 10, '\0');
  REQUIRE(f.run(f.queue.append(f.lane, std::move(most))).has_value());
  head.headers.add("Content-Length", std::to_string(200 << 10));  // the lane's budget is 1 MiB
  const auto refused = f.intake->check(head);
  REQUIRE(refused);
  CHECK(refused->status == 503);
  CHECK(refused->headers.find("Retry-After") == "5");
  CHECK(refused->body.find("the buffer is full") != std::string::npos);
  CHECK(f.metrics.requests[static_cast<std::size_t>(Protocol::rw1)]
                          [static_cast<std::size_t>(Answer::refused)] == 1);
}

TEST_CASE("a request that could never fit is too large, and not asked for again") {
  Fixture f;
  http::Request head = Fixture::request(Version::v2, "");
  head.headers.add("Content-Length",
                   std::to_string(1 << 20));  // as much as the lane's budget, without its envelope
  const auto refused = f.intake->check(head);
  REQUIRE(refused);
  CHECK(refused->status == 413);
  CHECK(refused->headers.find("Retry-After").empty());
  CHECK(refused->headers.find("X-Prometheus-Remote-Write-Samples-Written") == "0");
  CHECK(refused->body.find("can never fit into a buffer of 1048576") != std::string::npos);
  CHECK(f.metrics.requests[static_cast<std::size_t>(Protocol::rw2)]
                          [static_cast<std::size_t>(Answer::too_large)] == 1);
  CHECK(f.metrics.refused.bytes(f.clock.now()) == 0);
}

}  // namespace
}  // namespace tideover::ingest
