#include "agent/ingest/remote_write_intake.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "tests/support/write_request_builder.h"
#include "tests/unit/agent/ingest/fixture.h"

namespace tideover::ingest {
namespace {

using remote_write::Version;
using test::WriteRequest;
using Fixture = test::IntakeFixture;

std::string two_samples(Version version) {
  return WriteRequest()
      .series({{"__name__", "up"}, {"job", "node"}})
      .sample(1000, 1.0)
      .stale(2000)
      .encode(version);
}

TEST_CASE("a stored request is answered 204, and its bytes are kept as they came") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Fixture f;
  const std::string raw = two_samples(version);
  const http::Response response = f.post(version, raw);
  CHECK(response.status == 204);
  CHECK(response.body.empty());
  const auto records = f.stored();
  REQUIRE(records.size() == 1);
  CHECK(records[0].payload() == test::snappy_block(raw));
  CHECK(records[0].attributes.units == 2);
  CHECK(records[0].attributes.oldest_ms == 1000);
  CHECK(records[0].attributes.newest_ms == 2000);
  CHECK((records[0].attributes.flags & remote_write::kSorted) != 0);
}

TEST_CASE("Written headers are exact for 2.0 and absent for 1.0") {
  Fixture f;
  const std::string raw = WriteRequest()
                              .series({{"__name__", "up"}})
                              .sample(1000, 1.0)
                              .sample(2000, 1.0)
                              .exemplar({{"trace_id", "1"}}, 1.0, 1000)
                              .series({{"__name__", "latency"}})
                              .histogram(test::valid_histogram(1000))
                              .encode(Version::v2);
  const http::Response v2 = f.post(Version::v2, raw);
  CHECK(v2.headers.find("X-Prometheus-Remote-Write-Samples-Written") == "2");
  CHECK(v2.headers.find("X-Prometheus-Remote-Write-Histograms-Written") == "1");
  CHECK(v2.headers.find("X-Prometheus-Remote-Write-Exemplars-Written") == "1");
  const http::Response v1 = f.post(Version::v1, two_samples(Version::v1));
  CHECK_FALSE(v1.headers.has("X-Prometheus-Remote-Write-Samples-Written"));
}

TEST_CASE("the valid series of a request with a faulty one are stored before the 400") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Fixture f;
  const std::string raw = WriteRequest()
                              .series({{"__name__", "good"}, {"job", "a"}})
                              .sample(1000, 1.0)
                              .series({{"__name__", "bad"}, {"job", "a"}, {"job", "b"}})
                              .sample(1000, 2.0)
                              .series({{"__name__", "fine"}, {"job", "a"}})
                              .sample(1000, 3.0)
                              .encode(version);
  const http::Response response = f.post(version, raw);
  CHECK(response.status == 400);
  CHECK(response.body.find("job") != std::string::npos);
  CHECK(response.body.find("more series") == std::string::npos);  // it is the only one
  if (version == Version::v2)
    CHECK(response.headers.find("X-Prometheus-Remote-Write-Samples-Written") == "2");
  const auto records = f.stored();
  REQUIRE(records.size() == 1);
  const auto points = test::samples_of(test::snappy_plain(records[0].payload()), version);
  REQUIRE(points.size() == 2);
  CHECK(points[0].labels.at("__name__") == "good");
  CHECK(points[1].labels.at("__name__") == "fine");
  CHECK(records[0].attributes.units == 2);
  CHECK(f.metrics.faulty_series == 1);
}

TEST_CASE("nothing of a body that does not decode is stored") {
  const Version version = GENERATE(Version::v1, Version::v2);
  Fixture f;
  CHECK(f.run(f.intake->handle(Fixture::request(version, "\xff\xff\xff"))).status == 400);
  CHECK(f.run(f.intake->handle(Fixture::request(version, ""))).status == 400);
  CHECK(f.post(version, "\x0a\x7f truncated").status == 400);
  CHECK(f.stored().empty());
}

TEST_CASE("a body that declares more than 32 MiB is 413 before anything is allocated") {
  Fixture f;
  // Snappy preamble: varint of 2^31.
  const http::Response response =
      f.run(f.intake->handle(Fixture::request(Version::v1, "\x80\x80\x80\x80\x08 rest")));
  CHECK(response.status == 413);
}

TEST_CASE("what cannot be stored is 503 with Retry-After, never 429") {
  Fixture f;
  f.store.fail_commits_until_healed(Errc::disk_full);
  const http::Response response = f.post(Version::v2, two_samples(Version::v2));
  CHECK(response.status == 503);
  CHECK(response.headers.find("Retry-After") == "5");
  CHECK(response.headers.find("X-Prometheus-Remote-Write-Samples-Written") == "0");
  const auto early = f.intake->check(Fixture::request(Version::v1, ""));
  REQUIRE(early);
  CHECK(early->status == 503);
}

TEST_CASE("a wrong type or encoding is 415 from the head alone") {
  Fixture f;
  http::Request head = Fixture::request(Version::v1, "");
  CHECK_FALSE(f.intake->check(head));
  head.headers = {{"Content-Type", "application/json"}};
  REQUIRE(f.intake->check(head));
  CHECK(f.intake->check(head)->status == 415);
  head.headers = {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}};
  CHECK(f.intake->check(head)->status == 415);
}

TEST_CASE("a request without content is 204 and leaves no record") {
  Fixture f;
  CHECK(f.post(Version::v1, "").status == 204);
  CHECK(f.stored().empty());
}

TEST_CASE("a timestamp far ahead is kept, but does not count as the newest") {
  Fixture f;
  const std::int64_t now_ms = to_unix_ms(f.clock.wall_now());
  const auto at = [](std::int64_t ms) {
    return WriteRequest().series({{"__name__", "up"}}).sample(ms, 1).encode(Version::v1);
  };
  CHECK(f.post(Version::v1, at(now_ms)).status == 204);
  CHECK(f.post(Version::v1, at(std::numeric_limits<std::int64_t>::max())).status == 204);
  CHECK(f.metrics.newest_ms == now_ms);
  CHECK(f.metrics.floats == 2);
  CHECK(f.post(Version::v1, at(now_ms + 9 * 60'000)).status == 204);
  CHECK(f.metrics.newest_ms == now_ms + 9 * 60'000);
  CHECK(f.post(Version::v1, at(now_ms + 12 * 60'000)).status == 204);
  CHECK(f.metrics.newest_ms == now_ms + 9 * 60'000);
}

}  // namespace
}  // namespace tideover::ingest
