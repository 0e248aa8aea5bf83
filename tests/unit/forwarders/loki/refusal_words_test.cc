// The texts are those of Loki 3 (pkg/validation/validate.go, pkg/ingester/stream.go) as a real one says them.
#include "forwarders/loki/refusal_words.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::loki {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSeven = 1'795'935'600;  // 2026-11-29T07:00:00Z

TEST_CASE("every sentence of the distributor is known, with the stream and the size that it names") {
  struct Row {
    std::string text;
    Cause cause;
    std::optional<std::uint64_t> size = std::nullopt;
  };
  const std::vector<Row> rows = {
      {"entry for stream '{app=\"w\"}' has timestamp too old: 2026-11-29T07:00:00Z, oldest acceptable "
       "timestamp is: 2026-11-30T07:00:00Z",
       Cause::too_old},
      {"entry for stream '{app=\"w\"}' has timestamp too new: 2026-11-29T07:00:00Z", Cause::too_new},
      {"max entry size '262144' bytes exceeded for stream '{app=\"w\"}' while adding an entry with length "
       "'300000' bytes",
       Cause::line_size, 300'000},
      {"Max entry size '262144' bytes exceeded for stream '{app=\"w\"}' while adding an entry with length "
       "'300000' bytes",
       Cause::line_size, 300'000},
      {"entry for stream '{app=\"w\"}' has 16 label names; limit 15", Cause::labels},
      {"stream '{app=\"w\"}' has label name too long: 'xxx'", Cause::labels},
      {"stream '{app=\"w\"}' has label value too long: 'timestamp too old; no'", Cause::labels},
      {"stream '{app=\"w\"}' has duplicate label name: 'app'", Cause::labels},
      {"stream '{app=\"w\"}' includes structured metadata, but this feature is disallowed. Please see "
       "`limits_config.allow_structured_metadata` or contact your Loki administrator to enable it.",
       Cause::metadata_off},
      {"stream '{app=\"w\"}' has structured metadata too large: '70000' bytes, limit: '65536' bytes. Please "
       "see `limits_config.max_structured_metadata_size` or contact your Loki administrator to increase it.",
       Cause::metadata_size, 70'000},
      {"stream '{app=\"w\"}' has too many structured metadata labels: '129', limit: '128'. Please see "
       "`limits_config.max_structured_metadata_entries_count` or contact your Loki administrator to increase "
       "it.",
       Cause::metadata_count, 129},
      {"missing required labels team for user t1 for stream {app=\"w\"}", Cause::required_labels},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto clauses = clauses_of(row.text + "\n");
    REQUIRE(clauses.size() == 1);
    CHECK(clauses[0].cause == row.cause);
    CHECK(clauses[0].times == 1);
    CHECK(clauses[0].stream == StreamName::of("{app=\"w\"}"));
    CHECK(clauses[0].size == row.size);
    const bool timed = row.cause == Cause::too_old || row.cause == Cause::too_new;
    CHECK(clauses[0].ns == (timed ? std::optional(kSeven * kSecond) : std::nullopt));
  }
}

TEST_CASE("sentences of the distributor are counted, and told apart") {
  const std::string old = "entry for stream '{app=\"w\"}' has timestamp too old: 2026-11-29T07:00:00Z";
  const std::string tricky = "stream '{app=\"; 9 errors like: \"}' has duplicate label name: 'a; b'";
  auto clauses = clauses_of("2 errors like: " + old + "; 1 errors like: " + tricky + "\n");
  REQUIRE(clauses.size() >= 2);
  CHECK(clauses[0].cause == Cause::too_old);
  CHECK(clauses[0].times == 2);

  clauses = clauses_of("12 errors like: " + old);
  REQUIRE(clauses.size() == 1);
  CHECK(clauses[0].times == 12);

  clauses = clauses_of("2 errors like: something new; 1 errors like: " + old);
  REQUIRE(clauses.size() == 2);
  CHECK(clauses[0].cause == Cause::unknown);
  CHECK(clauses[1].cause == Cause::too_old);
}

TEST_CASE("the words of a fault are not looked for inside of labels") {
  const auto clauses = clauses_of("stream '{app=\"timestamp too old\"}' has duplicate label name: 'app'");
  REQUIRE(clauses.size() == 1);
  CHECK(clauses[0].cause == Cause::labels);
}

TEST_CASE("a push whose labels cannot be parsed is told as that") {
  CHECK(clauses_of("couldn't parse labels: 1:2: parse error: unexpected ...")[0].cause == Cause::unparsable);
  CHECK(clauses_of("Error parsing labels '{app=' with error: no")[0].cause == Cause::unparsable);
}

TEST_CASE("an ingester's refusal is read: what it lists, and what it counts") {
  const auto refusal = stream_refusal_of(
      "entry with timestamp 2026-11-29 07:00:00.000000001 +0000 UTC ignored, reason: 'entry too far behind, "
      "entry timestamp is: 2026-11-29T07:00:00Z, oldest acceptable timestamp is: 2026-11-29T08:00:00Z',\n"
      "entry with timestamp 2026-11-29 07:00:01 +0000 UTC ignored, reason: 'entry too far behind, "
      "entry timestamp is: 2026-11-29T07:00:01Z, oldest acceptable timestamp is: 2026-11-29T08:00:00Z',\n"
      "user 't1', total ignored: 2 out of 5 for stream: {app=\"b\", service_name=\"b\"}\n");
  REQUIRE(refusal);
  CHECK(refusal->cause() == Cause::behind);
  REQUIRE(refusal->listed.size() == 2);
  CHECK(refusal->listed[0].ns == kSeven * kSecond + 1);
  CHECK(refusal->listed[1].ns == (kSeven + 1) * kSecond);
  CHECK(refusal->ignored == 2);
  CHECK(refusal->total == 5);
  CHECK(refusal->stream == StreamName::of("{app=\"b\"}"));
}

TEST_CASE("a stream's rate limit is read with it, whatever its labels say") {
  for (const std::string name : {"{app=\"p\"}", "{app=\"', user 'x\"}"}) {
    INFO(name);
    const auto refusal = stream_refusal_of(
        "entry with timestamp 2026-11-29 07:00:00 +0000 UTC ignored, reason: 'Per stream rate limit exceeded "
        "(limit: 2KB/sec) while attempting to ingest for stream '" +
        name +
        "' totaling 1kB, consider splitting a stream via additional labels or contact your Loki "
        "administrator to see if the limit can be increased',\nuser 't1', total ignored: 10 out of 10 for "
        "stream: " +
        name);
    REQUIRE(refusal);
    CHECK(refusal->cause() == Cause::stream_rate);
    CHECK(refusal->rate_limit == 2000);
    CHECK(refusal->ignored == 10);
    CHECK(refusal->stream == StreamName::of(name));
  }
}

TEST_CASE("reasons that differ, and reasons that nobody knows, are no reason") {
  const std::string listed = "entry with timestamp 2026-11-29 07:00:00 +0000 UTC ignored, reason: '";
  const std::string end = "user 't1', total ignored: 2 out of 2 for stream: {app=\"p\"}";
  const auto mixed = stream_refusal_of(listed + "entry too far behind, x',\n" + listed +
                                       "Per stream rate limit exceeded (limit: 3MB/sec)',\n" + end);
  REQUIRE(mixed);
  CHECK(mixed->cause() == Cause::unknown);
  CHECK(mixed->listed[1].cause == Cause::stream_rate);
  CHECK(mixed->rate_limit == 3'000'000);
  const auto strange = stream_refusal_of(listed + "the moon',\n" + end);
  REQUIRE(strange);
  CHECK(strange->cause() == Cause::unknown);
}

TEST_CASE("what is cut short is no refusal of an ingester") {
  const std::string whole =
      "entry with timestamp 2026-11-29 07:00:00 +0000 UTC ignored, reason: 'entry too far behind, x',\n"
      "user 't1', total ignored: 2 out of 5";
  REQUIRE(stream_refusal_of(whole));
  CHECK_FALSE(stream_refusal_of(whole)->stream);
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    INFO(whole.substr(0, size));
    CHECK_FALSE(stream_refusal_of(whole.substr(0, size)));
  }
}

TEST_CASE("the limits of a tenant are known") {
  const auto limit = stream_limit_of(
      "maximum active stream limit exceeded when trying to create stream {app=\"s2\"}, reduce the number of "
      "active streams (reduce labels or reduce label values), or contact your Loki administrator to see if "
      "the limit can be increased, user: 'fewstreams'\n");
  REQUIRE(limit);
  CHECK(limit->stream == StreamName::of("{app=\"s2\"}"));
  REQUIRE(stream_limit_of("Maximum active stream limit exceeded, reduce the number of active streams"));
  CHECK_FALSE(stream_limit_of("too many requests"));

  const auto rate = tenant_rate_of(
      "ingestion rate limit exceeded for user small (limit: 10485 bytes/sec) while attempting to ingest '1' "
      "lines totaling '30000' bytes, reduce log volume or contact your Loki administrator to see if the "
      "limit "
      "can be increased\n");
  REQUIRE(rate);
  CHECK(rate->limit == 10'485);
  CHECK(rate->bytes == 30'000);
  CHECK_FALSE(tenant_rate_of("Per stream rate limit exceeded (limit: 2KB/sec)"));
}

TEST_CASE("words about the tenant and about the size are told from words about the data") {
  CHECK(speaks_of_tenant("no org id\n"));
  CHECK(speaks_of_tenant("multiple org IDs present\n"));
  CHECK_FALSE(speaks_of_tenant("mime: no media type"));
  CHECK(speaks_of_size("rpc error: code = ResourceExhausted desc = grpc: received message larger than max"));
  CHECK_FALSE(speaks_of_size("rpc error: code = Unavailable"));
}

}  // namespace
}  // namespace tideover::loki
