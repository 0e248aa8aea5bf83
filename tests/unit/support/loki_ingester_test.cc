// What a real Loki (main of August 2026) was seen to answer, asked of its model's ingester.
#include "tests/support/loki_ingester.h"

#include <catch2/catch.hpp>

#include "tests/support/loki_model.h"

namespace tideover::test {
namespace {

using Catch::Contains;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kNow = 1'795'219'200 * kSecond;  // 2026-11-21T00:00:00Z
constexpr const char* kLabels = "{app=\"b\"}";

struct Ingester {
  LokiStreamFate push(const std::vector<LokiEntry>& entries, std::int64_t now = kNow,
                      const char* labels = kLabels) {
    return ingester.push("t1", labels, entries, limits, now);
  }
  LokiLimits limits;
  LokiIngester ingester;
};

TEST_CASE("an entry may lie an hour behind its stream's newest, and not a nanosecond more") {
  Ingester loki;
  CHECK(loki.push({{kNow, "new"}}).status == 0);
  CHECK(loki.push({{kNow - kHour, "edge"}}).status == 0);
  const auto fate = loki.push({{kNow - kHour - 1, "old"}, {kNow + 1, "new2"}});
  CHECK(fate.status == 400);
  CHECK(fate.stored == std::vector<LokiEntry>{{kNow + 1, "new2"}});
  CHECK(fate.discarded.at("too_far_behind") == 1);
  CHECK(fate.text ==
        "entry with timestamp 2026-11-20 22:59:59.999999999 +0000 UTC ignored, reason: 'entry too far "
        "behind, entry "
        "timestamp is: 2026-11-20T22:59:59Z, oldest acceptable timestamp is: 2026-11-20T23:00:00Z',\n"
        "user 't1', total ignored: 1 out of 2 for stream: {app=\"b\"}");
}

TEST_CASE("the newest entry of a push moves the window for what follows it in the same push") {
  Ingester loki;
  const auto fate = loki.push({{kNow, "new"}, {kNow - 2 * kHour, "old"}});
  CHECK(fate.status == 400);
  CHECK(fate.stored.size() == 1);
  CHECK(Ingester().push({{kNow - 2 * kHour, "old"}, {kNow, "new"}}).status == 0);
}

TEST_CASE("each stream has its own window, and the others do not move it") {
  Ingester loki;
  CHECK(loki.push({{kNow, "new"}}).status == 0);
  CHECK(loki.push({{kNow - 5 * kHour, "old"}}, kNow, "{app=\"other\"}").status == 0);
}

TEST_CASE("a stream that was idle for half an hour is forgotten, its window too") {
  Ingester loki;
  CHECK(loki.push({{kNow, "new"}}).status == 0);
  CHECK(loki.push({{kNow - 2 * kHour, "old"}}, kNow + 31 * 60 * kSecond).status == 400);
  CHECK(loki.push({{kNow - 2 * kHour, "old"}}, kNow + 31 * 60 * kSecond + 1).status == 0);
}

TEST_CASE("at most ten entries are named, and all are counted") {
  Ingester loki;
  CHECK(loki.push({{kNow, "new"}}).status == 0);
  std::vector<LokiEntry> late;
  for (int i = 0; i < 12; ++i) late.push_back({kNow - 2 * kHour + i, "old"});
  const auto fate = loki.push(late);
  CHECK_THAT(fate.text, Contains("total ignored: 12 out of 12"));
  std::size_t named = 0;
  for (std::size_t at = fate.text.find("ignored, reason"); at != fate.text.npos;
       at = fate.text.find("ignored, reason", at + 1))
    ++named;
  CHECK(named == 10);
}

TEST_CASE("over its rate a stream is refused whole, or with sharding off by the lines that do not fit") {
  Ingester loki;
  loki.limits.per_stream_rate_limit = 2048;
  loki.limits.per_stream_rate_limit_burst = 2048;
  std::vector<LokiEntry> lines;
  for (int i = 0; i < 10; ++i) lines.push_back({kNow + i, std::string(1000, 'x')});
  SECTION("sharding on: nothing is stored, and nothing of the bucket used") {
    const auto fate = loki.push(lines);
    CHECK(fate.status == 429);
    CHECK(fate.stored.empty());
    CHECK_THAT(fate.text,
               Contains("Per stream rate limit exceeded (limit: 2KB/sec) while attempting to ingest for "
                        "stream '{app=\"b\"}' totaling 1000B"));
    CHECK_THAT(fate.text, Contains("total ignored: 10 out of 10 for stream: {app=\"b\"}"));
    CHECK(loki.push({lines[0], lines[1]}).status == 0);
  }
  SECTION("sharding off: the first that fit are stored, and the same lines sent again are stored once") {
    loki.limits.shard_streams = false;
    const auto fate = loki.push(lines);
    CHECK(fate.status == 429);
    CHECK(fate.stored.size() == 2);
    CHECK_THAT(fate.text, Contains("total ignored: 8 out of 10"));
    const auto again = loki.push({lines[0], lines[1]}, kNow + 10 * kSecond);
    CHECK(again.stored.empty());
    CHECK(again.duplicates == 2);
  }
}

TEST_CASE("streams are limited in number, and only new ones refused") {
  Ingester loki;
  loki.limits.max_global_streams_per_user = 2;
  CHECK(loki.push({{kNow, "x"}}, kNow, "{app=\"s0\"}").status == 0);
  CHECK(loki.push({{kNow, "x"}}, kNow, "{app=\"s1\"}").status == 0);
  const auto fate = loki.push({{kNow, "x"}}, kNow, "{app=\"s2\"}");
  CHECK(fate.status == 429);
  CHECK_THAT(fate.text, Catch::StartsWith("maximum active stream limit exceeded when trying to create stream "
                                          "{app=\"s2\"}, reduce"));
  CHECK(fate.discarded.at("stream_limit") == 1);
  CHECK(loki.push({{kNow + 1, "x"}}, kNow, "{app=\"s0\"}").status == 0);
  CHECK(loki.push({{kNow, "x"}}, kNow + kHour, "{app=\"s2\"}").status == 0);  // the others have gone idle
}

TEST_CASE("the same line at the same time is stored once, other metadata makes it another") {
  Ingester loki;
  CHECK(loki.push({{kNow, "x"}, {kNow, "y"}, {kNow, "x"}}).stored.size() == 2);
  CHECK(loki.push({{kNow, "x"}}).duplicates == 1);
  CHECK(loki.push({{kNow, "x", {{"k", "1"}}}}).stored.size() == 1);
  CHECK(loki.push({{kNow, "x", {{"k", "2"}}}}).stored.size() == 1);
}

TEST_CASE("behind the block under way only the last line is known again") {
  Ingester loki;
  loki.limits.chunk_block_size = 10;
  CHECK(loki.push({{kNow, "0123456789"}}).stored.size() == 1);
  CHECK(loki.push({{kNow, "0123456789"}}).duplicates == 1);
  CHECK(loki.push({{kNow + 1, "a"}}).stored.size() == 1);
  CHECK(loki.push({{kNow, "0123456789"}}).stored.size() == 1);
}

}  // namespace
}  // namespace tideover::test
