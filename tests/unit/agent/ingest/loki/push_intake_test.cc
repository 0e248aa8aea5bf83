#include "agent/ingest/loki/push_intake.h"

#include <catch2/catch.hpp>
#include <string>

#include "forwarders/loki/log_record.h"
#include "tests/unit/agent/ingest/loki/fixture.h"
#include "tests/unit/agent/ingest/loki/packed.h"

namespace tideover::ingest::loki {
namespace {

using test::PushedEntry;
using test::PushedStreams;
using Fixture = test::PushFixture;

const http::Headers kJson{{"Content-Type", "application/json"}};
const http::Headers kGzip{{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}};
const http::Headers kProtobuf{{"Content-Type", "application/x-protobuf"}};

std::string json_of(std::int64_t ns) {
  return R"({"streams":[{"stream":{"app":"api"},"values":[[")" + std::to_string(ns) +
         R"(","line",{"t":"1"}]]}]})";
}

PushedStreams streams_of(std::int64_t ns) { return {{R"({app="api"})", {{ns, "line", {{"t", "1"}}}}}}; }

TEST_CASE("a push is answered 204 once it is stored, however it was packed") {
  Fixture f;
  const std::int64_t ns = f.now_ns() - 7;
  const std::string json = json_of(ns);
  CHECK(f.post(streams_of(ns)).status == 204);
  CHECK(f.post(kJson, json).status == 204);
  CHECK(f.post(kGzip, test::gzipped(json)).status == 204);
  CHECK(f.post({{"Content-Type", "application/json"}, {"Content-Encoding", "deflate"}},
               test::packed(json, -MAX_WBITS))
            .status == 204);
  const std::string block = test::snappy_block(test::written_by_generated_code(streams_of(ns)));
  CHECK(
      f.post({{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}}, test::gzipped(block))
          .status == 204);
  const auto records = f.records();
  REQUIRE(records.size() == 5);
  for (const auto& record : records) CHECK(record.payload() == records[0].payload());
  CHECK(f.stored().at(4) == streams_of(ns).at(0));
  CHECK(f.metrics.lines == 5);
  CHECK(f.answers(Format::json, PushAnswer::stored) == 3);
  CHECK(f.answers(Format::protobuf, PushAnswer::stored) == 2);
}

TEST_CASE("a record of logs says what is in it") {
  Fixture f;
  const std::int64_t now = f.now_ns();
  const PushedStreams streams{{R"({a="1"})", {{now - 1, "x", {}}, {now - 5'000'000'000, "y", {}}}},
                              {R"({a="2"})", {{now - 3, "z", {}}}}};
  REQUIRE(f.post(streams).status == 204);
  const auto records = f.records();
  REQUIRE(records.size() == 1);
  const wal::Attributes& attributes = records[0].attributes;
  CHECK(attributes.encoding == static_cast<std::uint16_t>(tideover::loki::Encoding::push));
  CHECK(attributes.units == 3);
  CHECK(attributes.raw_bytes == test::snappy_plain(records[0].payload()).size());
  CHECK(attributes.newest_ms == now / 1'000'000 - 1);  // a nanosecond before the millisecond
  CHECK(attributes.oldest_ms == now / 1'000'000 - 5'000);
  CHECK(attributes.arrival_ms >= now / 1'000'000);
  CHECK(f.metrics.newest_ms == attributes.newest_ms);
  CHECK(f.metrics.raw_bytes == attributes.raw_bytes);
  CHECK(f.metrics.record_bytes == records[0].bytes->size());
  CHECK(f.metrics.body_bytes == test::snappy_block(test::written_by_generated_code(streams)).size());
}

TEST_CASE("the times of a record are those of the millisecond that an entry is in") {
  Fixture f(Limits{.age_max = std::chrono::seconds(0)});
  REQUIRE(f.post({{R"({a="1"})", {{-1, "x", {}}, {-2'000'000, "y", {}}, {1'999'999, "z", {}}}}}).status ==
          204);
  const wal::Attributes attributes = f.records().at(0).attributes;
  CHECK(attributes.oldest_ms == -2);
  CHECK(attributes.newest_ms == 1);
}

TEST_CASE("each tenant has its own lane, and no tenant is the default one") {
  Fixture f;
  CHECK(f.post({{R"({a="1"})", {{f.now_ns(), "of a", {}}}}}, "team-a").status == 204);
  CHECK(f.post({{R"({a="1"})", {{f.now_ns(), "of b", {}}}}}, "team-b").status == 204);
  CHECK(f.post({{R"({a="1"})", {{f.now_ns(), "of none", {}}}}}).status == 204);
  CHECK(f.stored("team-a").at(0).entries.at(0).line == "of a");
  CHECK(f.stored("team-b").at(0).entries.at(0).line == "of b");
  CHECK(f.stored("").at(0).entries.at(0).line == "of none");
}

TEST_CASE("one tenant too many is asked to come again, before its body is read") {
  Fixture f;
  for (const char* tenant : {"a", "b", "c"})
    REQUIRE(f.post({{R"({a="1"})", {{f.now_ns(), "x", {}}}}}, tenant).status == 204);
  http::Headers headers = kJson;
  headers.add("X-Scope-OrgID", "d");
  const auto refusal = f.intake->check(Fixture::request(headers, "never read"));
  REQUIRE(refusal.has_value());
  CHECK(refusal->status == 503);
  CHECK(refusal->headers.find("Retry-After") == "5");
  CHECK(refusal->body.find("more than 3 tenants") != std::string::npos);
  CHECK(f.run(f.intake->handle(Fixture::request(headers, json_of(1)))).status == 503);
}

TEST_CASE("the good lines of a push with bad ones are stored before the 400") {
  Fixture f;
  const PushedEntry good{f.now_ns(), "good", {}};
  const PushedEntry old{1, "old", {}};
  const http::Response response =
      f.post({{R"({a="1"})", {good, old, good, old}}, {R"({a="1",a="2"})", {good}}, {R"({a="2"})", {good}}});
  CHECK(response.status == 400);
  CHECK(response.body.find("2 errors like: entry for stream '{a=\"1\"}' has timestamp too old") == 0);
  CHECK(response.body.find("has duplicate label name: 'a'") != std::string::npos);
  CHECK(f.stored() == PushedStreams{{R"({a="1"})", {good, good}}, {R"({a="2"})", {good}}});
  CHECK(f.metrics.lines == 3);
  CHECK(f.metrics.refused_lines[static_cast<std::size_t>(Why::too_old)] == 2);
  CHECK(f.metrics.refused_lines[static_cast<std::size_t>(Why::duplicate_label)] == 1);
  CHECK(f.answers(Format::protobuf, PushAnswer::partly_stored) == 1);
}

TEST_CASE("a push of which nothing is left stores no record") {
  Fixture f;
  CHECK(f.post({{R"({a="1"})", {{1, "old", {}}}}}).status == 400);
  CHECK(f.post({{"{}", {}}}).status == 204);
  CHECK(f.records().empty());
  CHECK(f.metrics.body_bytes == 0);
}

TEST_CASE("a push without streams is answered 422, as by Loki") {
  Fixture f;
  CHECK(f.post(PushedStreams{}).status == 422);
  const http::Response response = f.post(kJson, R"({"streams":[]})");
  CHECK(response.status == 422);
  CHECK(response.body.find("at least one valid stream") != std::string::npos);
  CHECK(f.answers(Format::json, PushAnswer::no_streams) == 1);
}

TEST_CASE("nothing of a push that does not decode is stored") {
  Fixture f;
  const std::string good = test::written_by_generated_code(streams_of(f.now_ns()));
  CHECK(f.post(kProtobuf, "\xff\xff\xff").status == 400);
  CHECK(f.post(kProtobuf, good).status == 400);  // not compressed
  CHECK(f.post(kProtobuf, test::snappy_block(good + "\x0a")).status == 400);
  CHECK(f.post(kJson, json_of(f.now_ns()) + "}").status == 400);
  CHECK(f.post(kJson, "").status == 400);
  CHECK(f.post(kGzip, json_of(f.now_ns())).status == 400);
  CHECK(f.post({{R"({a="1"})", {{f.now_ns(), "x", {}}}}, {R"({a.b="1"})", {{f.now_ns(), "x", {}}}}}).status ==
        400);
  CHECK(f.records().empty());
  CHECK(f.metrics.lines == 0);
}

TEST_CASE("a head that cannot be taken is answered 400 before its body is read") {
  Fixture f;
  const auto refused = [&f](const http::Headers& headers) {
    const auto refusal = f.intake->check(Fixture::request(headers, "x"));
    return refusal ? refusal->status : 0;
  };
  CHECK(refused({}) == 400);
  CHECK(refused({{"Content-Type", "application/json"}, {"Content-Encoding", "zstd"}}) == 400);
  CHECK(refused({{"Content-Type", "application/json"}, {"X-Scope-OrgID", "a|b"}}) == 400);
  CHECK(refused({{"Content-Type", "application/json"}, {"X-Scope-OrgID", ".."}}) == 400);
  CHECK(refused(kJson) == 0);
  CHECK(f.answers(Format::unknown, PushAnswer::undecodable) == 2);
  CHECK(f.answers(Format::json, PushAnswer::undecodable) == 2);
}

TEST_CASE("what declares or inflates to more than is taken is answered 413") {
  Fixture f;
  const std::string bomb(kDecodedBytesMax + 1, ' ');
  CHECK(f.post(kGzip, test::gzipped(bomb)).status == 413);
  CHECK(f.post(kProtobuf, test::snappy_block(bomb)).status == 413);
  CHECK(f.records().empty());
}

TEST_CASE("a full lane is answered 503 with Retry-After, and never 429") {
  Fixture f;
  f.lane_bytes = 300;
  int stored = 0;
  http::Response last;
  for (int i = 0; i < 20; ++i) {
    last = f.post({{R"({a="1"})", {{f.now_ns(), "line", {}}}}});
    stored += last.status == 204 ? 1 : 0;
  }
  CHECK(stored > 0);
  CHECK(last.status == 503);
  CHECK(last.headers.find("Retry-After") == "5");
  CHECK(f.stored().size() == static_cast<std::size_t>(stored));
  CHECK(f.metrics.lines == static_cast<std::uint64_t>(stored));
  CHECK(f.metrics.refused.bytes(f.clock.now()) > 0);
}

TEST_CASE("what is larger than its lane is answered 413: to come again would not help") {
  Fixture f;
  f.lane_bytes = 110;
  CHECK(f.post({{R"({a="1"})", {{f.now_ns(), "line", {}}}}}).status == 413);
  const http::Request request = Fixture::request(kJson, json_of(f.now_ns()));
  CHECK(f.run(f.intake->handle(request)).status == 413);
  CHECK(f.metrics.refused.bytes(f.clock.now()) == 0);
}

TEST_CASE("a disk that fails is answered 503, and nothing counts as stored") {
  Fixture f;
  REQUIRE(f.lane("").has_value());
  f.store.fail_commits_until_healed(Errc::io_error);
  CHECK(f.run(f.intake->handle(Fixture::request(kJson, json_of(f.now_ns())))).status == 503);
  CHECK(f.metrics.lines == 0);
}

TEST_CASE("a large push becomes several records, in order") {
  Fixture f;
  PushedStreams streams{{R"({a="1"})", {}}};
  for (int i = 0; i < 60; ++i)
    streams[0].entries.push_back({f.now_ns() - 60 + i, std::to_string(i) + std::string(100'000, 'x'), {}});
  REQUIRE(f.post(streams).status == 204);
  const auto records = f.records();
  CHECK(records.size() == 3);
  PushedStreams joined{{R"({a="1"})", {}}};
  for (const auto& stream : f.stored())
    joined[0].entries.insert(joined[0].entries.end(), stream.entries.begin(), stream.entries.end());
  CHECK(joined == streams);
  CHECK(f.metrics.lines == 60);
}

TEST_CASE("who sends is accounted for, with what it was told") {
  Fixture f;
  f.post({{R"({a="1"})", {{f.now_ns(), "x", {}}, {f.now_ns(), "y", {}}}}}, "team-a");
  f.post(http::Headers(), "x");
  const auto senders = f.intake->senders().largest();
  REQUIRE(senders.largest.size() == 1);
  CHECK(senders.largest[0].address == "10.0.0.1");
  CHECK(senders.largest[0].requests == 2);
  CHECK(senders.largest[0].samples == 2);
  CHECK(senders.largest[0].refused == 1);
  CHECK(senders.largest[0].tenants[0] == 1);
  CHECK(senders.largest[0].last_error.find("no media type") != std::string::npos);
}

}  // namespace
}  // namespace tideover::ingest::loki
