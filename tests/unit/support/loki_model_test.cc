// What a real Loki (main of August 2026) was seen to answer, asked of its model.
#include "tests/support/loki_model.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::test {
namespace {

using Catch::Contains;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kNow = 1'795'219'200 * kSecond;  // 2026-11-21T00:00:00Z

struct Loki {
  explicit Loki(const LokiLimits& limits = {}) : model(limits) {}

  http::Response push(const LokiPush& push, std::int64_t now = kNow) { return model.push("t1", push, now); }
  std::vector<std::string> lines(const std::string& app) const {
    std::vector<std::string> found;
    for (const LokiLine& line : model.lines())
      if (line.labels.find("app=\"" + app + "\"") != line.labels.npos) found.push_back(line.entry.line);
    return found;
  }
  LokiModel model;
};

LokiStream stream(const std::string& app, std::vector<LokiEntry> entries) {
  return {"{app=\"" + app + "\"}", std::move(entries)};
}

using Lines = std::vector<std::string>;

TEST_CASE("what is stored can be read back, in order, with the service that Loki adds") {
  Loki loki;
  CHECK(loki.push({stream("a", {{kNow, "one", {{"trace", "x"}}}, {kNow, "two"}})}).status == 204);
  REQUIRE(loki.model.lines().size() == 2);
  CHECK(loki.model.lines()[0].labels == "{app=\"a\", service_name=\"a\"}");
  CHECK(loki.model.lines()[0].tenant == "t1");
  CHECK(loki.model.lines()[0].entry == LokiEntry{kNow, "one", {{"trace", "x"}}});
  CHECK(loki.lines("a") == Lines{"one", "two"});
}

TEST_CASE("a tenant is needed, and one only") {
  Loki loki;
  CHECK(loki.model.push("", {stream("a", {{kNow, "x"}})}, kNow).status == 401);
  CHECK(loki.model.push("a|b", {stream("a", {{kNow, "x"}})}, kNow).status == 400);
  CHECK(loki.model.lines().empty());
}

TEST_CASE("no streams are 422; a stream without entries and one without labels are taken") {
  Loki loki;
  CHECK(loki.push({}).status == 422);
  CHECK(loki.push({stream("a", {})}).status == 204);
  CHECK(loki.push({{"{}", {{kNow, "x"}}}}).status == 204);
  CHECK(loki.model.lines().size() == 1);
}

TEST_CASE("one label set that cannot be read refuses the whole push") {
  for (const char* bad : {"{app=", "{1a=\"x\"}", "{a.b=\"x\"}", "{app=\"x\"", "app=\"x\"", "{app=x}"}) {
    Loki loki;
    const auto answer = loki.push({stream("g1", {{kNow, "before"}}), {bad, {{kNow, "x"}}}});
    CHECK(answer.status == 400);
    CHECK_THAT(answer.body, Contains("couldn't parse labels"));
    CHECK(loki.model.lines().empty());
  }
}

TEST_CASE("labels that are refused cost their own stream alone") {
  LokiLimits limits;
  limits.max_label_names_per_series = 2;
  limits.max_label_name_length = 12;  // `service_name`
  limits.max_label_value_length = 20;
  const auto refused = [&limits](const std::string& labels) {
    Loki loki(limits);
    const auto answer = loki.push({{labels, {{kNow, "x"}}}, stream("g", {{kNow, "beside"}})});
    CHECK(answer.status == 400);
    CHECK(loki.lines("g") == Lines{"beside"});
    CHECK(loki.model.lines().size() == 1);
    return answer.body;
  };
  CHECK_THAT(refused("{app=\"d1\",app=\"d2\"}"), Contains("has duplicate label name: 'app'"));
  CHECK_THAT(refused("{a=\"x\",b=\"x\",c=\"x\"}"), Contains("has 3 label names; limit 2"));
  CHECK_THAT(refused("{app=\"" + std::string(21, 'x') + "\"}"), Contains("has label value too long"));
  CHECK_THAT(refused("{" + std::string(13, 'n') + "=\"x\"}"), Contains("has label name too long"));
}

TEST_CASE("entries are refused one by one, and the rest of the push is stored") {
  LokiLimits limits;
  limits.max_line_size = 10;
  limits.max_structured_metadata_entries_count = 1;
  limits.max_structured_metadata_size = 10;
  limits.window = 8 * 24 * kHour;  // it is the distributor that is asked
  Loki loki(limits);
  const std::int64_t week = 7 * 24 * kHour;
  const auto answer = loki.push({stream("a", {{kNow - week - 1, "old"},
                                              {kNow - week, "just"},
                                              {kNow + 600 * kSecond, "soon"},
                                              {kNow + 600 * kSecond + 1, "future"},
                                              {kNow, "0123456789"},
                                              {kNow, "0123456789a"},
                                              {kNow, "meta", {{"k", "0123456789"}}},
                                              {kNow, "many", {{"k", "1"}, {"l", "2"}}},
                                              {kNow, "fits", {{"k", "1"}}}})});
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body,
             Contains("has timestamp too old: 2026-11-13T23:59:59Z, oldest acceptable timestamp is: "
                      "2026-11-14T00:00:00Z"));
  CHECK_THAT(answer.body, Contains("has timestamp too new: 2026-11-21T00:10:00Z"));
  CHECK_THAT(answer.body, Contains("max entry size '10' bytes exceeded for stream '{app=\"a\", "
                                   "service_name=\"a\"}' while adding an entry with length '11' bytes"));
  CHECK_THAT(answer.body, Contains("structured metadata too large: '11' bytes, limit: '10'"));
  CHECK_THAT(answer.body, Contains("too many structured metadata labels: '2', limit: '1'"));
  CHECK(loki.lines("a") == Lines{"just", "soon", "0123456789", "fits"});
  CHECK(loki.model.discards().answered.at("greater_than_max_sample_age") == 1);
  CHECK(loki.model.discards().answered.at("line_too_long") == 1);
  CHECK(loki.model.discards().all_silent() == 0);
}

TEST_CASE("the same complaint is counted, not repeated") {
  Loki loki;
  const std::int64_t old = kNow - 8 * 24 * kHour;
  const auto answer = loki.push({stream("a", {{old, "x"}, {old + 1, "y"}, {old + kSecond, "z"}})});
  CHECK_THAT(answer.body, Catch::StartsWith("2 errors like: entry for stream"));
  CHECK_THAT(answer.body, Contains("; 1 errors like: entry for stream"));
}

TEST_CASE("a line that is too long is cut where the operator says so") {
  LokiLimits limits;
  limits.max_line_size = 3;
  limits.max_line_size_truncate = true;
  Loki loki(limits);
  CHECK(loki.push({stream("a", {{kNow, "abcdef"}})}).status == 204);
  CHECK(loki.lines("a") == Lines{"abc"});
}

TEST_CASE("where structured metadata is off an entry with it is refused") {
  LokiLimits limits;
  limits.allow_structured_metadata = false;
  Loki loki(limits);
  CHECK(loki.push({stream("m", {{kNow, "x", {{"k", "v"}}}})}).status == 400);
  CHECK(loki.model.lines().empty());
}

TEST_CASE("the tenant's rate refuses a push whole, and one beyond the burst for ever") {
  LokiLimits limits;
  limits.ingestion_rate = 1000;
  limits.ingestion_burst = 1500;
  Loki loki(limits);
  const auto never = loki.push({stream("r", {{kNow, std::string(1501, 'x')}})}, kNow);
  CHECK(never.status == 429);
  CHECK_THAT(never.body,
             Contains("ingestion rate limit exceeded for user t1 (limit: 1000 bytes/sec) while attempting "
                      "to ingest '1' lines totaling '1501' bytes"));
  CHECK(loki.push({stream("r", {{kNow, std::string(1501, 'x')}})}, kNow + 100 * kHour).status == 429);
  const auto full = [&](std::int64_t at) {
    return loki.push({stream("r", {{at, std::string(1500, 'x')}})}, at);
  };
  CHECK(full(kNow + 101 * kHour).status == 204);
  CHECK(full(kNow + 101 * kHour + kSecond).status == 429);
  CHECK(full(kNow + 101 * kHour + 1500 * kSecond / 1000).status == 204);
  CHECK(loki.lines("r").size() == 2);
}

TEST_CASE("a blocked tenant is answered 260, and nothing is stored; with 200 it is even answered 204") {
  LokiLimits limits;
  limits.block_ingestion_status_code = 260;
  Loki loki(limits);
  CHECK(loki.push({stream("x", {{kNow, "x"}})}).status == 260);
  CHECK(loki.model.lines().empty());
  CHECK(loki.model.discards().all_silent() == 0);
  limits.block_ingestion_status_code = 200;
  loki.model.set_limits(limits);
  CHECK(loki.push({stream("x", {{kNow, "x"}})}).status == 204);
  CHECK(loki.model.lines().empty());
  CHECK(loki.model.discards().silent.at("blocked_ingestion") == 1);
}

TEST_CASE("a blocked tenant hears of labels that are refused, and not that the rest is gone") {
  LokiLimits limits;
  limits.block_ingestion_status_code = 260;
  Loki loki(limits);
  const http::Response answer =
      loki.push({stream("x", {{kNow, "x"}}), {"{a=\"1\",a=\"2\"}", {{kNow, "of two names"}}}});
  CHECK(answer.status == 400);
  CHECK(answer.body.find("duplicate label name") != std::string::npos);
  CHECK(loki.model.lines().empty());
  CHECK(loki.model.discards().silent.at("blocked_ingestion") == 1);
}

TEST_CASE("of the streams of one push that reach one ingester only the last one's refusal is answered") {
  Loki loki;
  CHECK(loki.push({stream("b", {{kNow, "new"}})}).status == 204);
  const LokiStream behind = stream("b", {{kNow - 2 * kHour, "old"}, {kNow + 1, "new2"}});
  SECTION("a fresh stream behind it: 204, and the entry is gone") {
    CHECK(loki.push({behind, stream("c", {{kNow, "other"}})}).status == 204);
    CHECK(loki.lines("b") == Lines{"new", "new2"});
    CHECK(loki.model.discards().silent.at("too_far_behind") == 1);
    CHECK(loki.model.discards().answered.empty());
  }
  SECTION("the other order: 400") {
    CHECK(loki.push({stream("c", {{kNow, "other"}}), behind}).status == 400);
    CHECK(loki.lines("b") == Lines{"new", "new2"});
    CHECK(loki.lines("c") == Lines{"other"});
    CHECK(loki.model.discards().answered.at("too_far_behind") == 1);
    CHECK(loki.model.discards().all_silent() == 0);
  }
}

TEST_CASE("a stream too many and a stream over its rate are lost behind a 204 as well") {
  LokiLimits limits;
  limits.max_global_streams_per_user = 1;
  limits.per_stream_rate_limit = 100;
  limits.per_stream_rate_limit_burst = 100;
  Loki loki(limits);
  CHECK(loki.push({stream("s0", {{kNow, "x"}})}).status == 204);
  CHECK(loki.push({stream("s1", {{kNow, "x"}}), stream("s0", {{kNow + 1, "y"}})}).status == 204);
  CHECK(loki.model.discards().silent.at("stream_limit") == 1);
  limits.max_global_streams_per_user = 5;
  loki.model.set_limits(limits);
  CHECK(loki.push({stream("p", {{kNow, std::string(101, 'x')}}), stream("s0", {{kNow + 2, "z"}})}).status ==
        204);
  CHECK(loki.model.discards().silent.at("per_stream_rate_limit") == 1);
  CHECK(loki.lines("s0") == Lines{"x", "y", "z"});
}

TEST_CASE("what an ingester says takes the place of what the distributor refused") {
  Loki loki;
  CHECK(loki.push({stream("b", {{kNow, "new"}})}).status == 204);
  const auto answer =
      loki.push({stream("w", {{kNow - 8 * 24 * kHour, "old"}}), stream("b", {{kNow - 2 * kHour, "x"}})});
  CHECK(answer.status == 400);
  CHECK_THAT(answer.body, Contains("too far behind"));
  CHECK_THAT(answer.body, !Contains("too old"));
  CHECK(loki.model.discards().silent.at("greater_than_max_sample_age") == 1);
}

TEST_CASE("several ingesters each speak for the last of their streams, and one of them is heard") {
  LokiLimits limits;
  limits.ingesters = 4;
  Loki loki(limits);
  LokiPush fresh, late;
  for (int i = 0; i < 40; ++i) {
    fresh.push_back(stream("s" + std::to_string(i), {{kNow, "new"}}));
    late.push_back(stream("s" + std::to_string(i), {{kNow - 2 * kHour, "old"}}));
  }
  CHECK(loki.push(fresh).status == 204);
  const auto answer = loki.push(late);
  CHECK(answer.status == 400);
  CHECK(loki.model.discards().answered.at("too_far_behind") == 1);
  CHECK(loki.model.discards().silent.at("too_far_behind") == 39);
  CHECK(loki.push({late[0]}).status == 400);
}

TEST_CASE("both wire forms say the same to the model") {
  const LokiPush push{stream("a", {{kNow, "one", {{"k", "v"}}}, {kNow + 1, std::string("a\xff\0b", 4)}})};
  const auto back = pushed_as_generated_code_reads(written_by_generated_code(push));
  REQUIRE(back.has_value());
  CHECK(back->front().labels == "{app=\"a\"}");
  CHECK(back->front().entries == push.front().entries);
  CHECK_FALSE(pushed_as_generated_code_reads("\x0a\xff\xff").has_value());
  const auto json = loki_push_of_json(
      R"({"streams":[{"stream":{"app":"a"},"values":[["1795219200000000000","one",{"k":"v"}],["5","two"]]}]})");
  REQUIRE(json.has_value());
  CHECK(json->front().labels == "{app=\"a\"}");
  CHECK(json->front().entries == std::vector<LokiEntry>{{kNow, "one", {{"k", "v"}}}, {5, "two"}});
  for (const char* bad :
       {"", "[]", R"({"streams":{}})", R"({"streams":[{"stream":{"a":"b"},"values":[[5,"x"]]}]})",
        R"({"streams":[{"stream":{"a":"b"},"values":[["5"]]}]})",
        R"({"streams":[{"stream":{"a":"b"},"values":[["5x","x"]]}]})"})
    CHECK_FALSE(loki_push_of_json(bad).has_value());
}

}  // namespace
}  // namespace tideover::test
