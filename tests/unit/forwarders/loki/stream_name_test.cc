#include "forwarders/loki/stream_name.h"

#include <catch2/catch.hpp>

#include "forwarders/loki/go_time.h"

namespace tideover::loki {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST_CASE("a stream has one name, however its labels are written") {
  const auto name = StreamName::of(R"({app="a", job="x"})");
  REQUIRE(name);
  CHECK(StreamName::of(R"({job="x",app="a"})") == name);
  CHECK(StreamName::of(R"({ app = "a" , job = `x` , })") == name);
  CHECK(StreamName::of(R"({app="\x61", job="\170"})") == name);
  CHECK(StreamName::of(R"({app="a", job="x", none=""})") == name);
  CHECK(StreamName::of(R"({app="a", job="x", service_name="a"})") == name);
  CHECK(StreamName::of(R"({app="a", job="x", __stream_shard__="3"})") == name);

  CHECK(StreamName::of(R"({app="a"})") != name);
  CHECK(StreamName::of(R"({app="a", job="X"})") != name);
  CHECK(StreamName::of(R"({app="a", jobs="x"})") != name);
}

TEST_CASE("values are what Go's escapes say") {
  CHECK(StreamName::of(R"({a="\u00e9\"\\\n"})") == StreamName::of("{a=`\u00e9\"\\\n`}"));
  CHECK(StreamName::of(R"({a="\U0001f600"})") == StreamName::of("{a=\"\U0001f600\"}"));
}

TEST_CASE("what is no name of a stream is none") {
  for (const char* text : {"", "{", "{a}", "{a=}", "{a=\"}", R"({a="b")", R"({="b"})", R"({a="b" c="d"})",
                           R"({a="\q"})", R"({a="\x4"})", R"({a="b"} and more)"}) {
    INFO(text);
    CHECK_FALSE(StreamName::of(text));
  }
}

TEST_CASE("a name is taken from the front, and the rest is left") {
  std::string_view text = R"({a="}, {"}' has timestamp too old)";
  CHECK(StreamName::take(text) == StreamName::of("{a=`}, {`}"));
  CHECK(text == "' has timestamp too old");
  text = "{a=\"b\" nonsense";
  CHECK_FALSE(StreamName::take(text));
  CHECK(text == "{a=\"b\" nonsense");
}

TEST_CASE("times are read as Go prints them") {
  const auto taken = [](std::string_view text) { return take_go_time(text); };
  CHECK(taken("1970-01-01T00:00:00Z") == 0);
  CHECK(taken("2026-11-29T07:00:01Z") == 1'795'935'601 * kSecond);
  CHECK(taken("2026-11-29T09:00:01+02:00") == 1'795'935'601 * kSecond);
  CHECK(taken("2026-11-29T01:30:01-05:30") == 1'795'935'601 * kSecond);
  CHECK(taken("2026-11-29 07:00:01.25 +0000 UTC") == 1'795'935'601 * kSecond + 250'000'000);
  CHECK(taken("2026-11-29 07:00:01.000000007 +0000 UTC") == 1'795'935'601 * kSecond + 7);
  CHECK(taken("1969-12-31 23:59:59.5 +0000 UTC") == -500'000'000);

  CHECK_FALSE(taken("2026-13-29T07:00:01Z"));
  CHECK_FALSE(taken("2026-02-30T07:00:01Z"));
  CHECK_FALSE(taken("2026-11-29T07:00:01"));
  CHECK_FALSE(taken("2026-11-29"));
  CHECK_FALSE(taken("9999-01-01T00:00:00Z"));
  CHECK_FALSE(taken("soon"));

  std::string_view text = "2026-11-29T07:00:01Z, oldest";
  CHECK(take_go_time(text));
  CHECK(text == ", oldest");
}

}  // namespace
}  // namespace tideover::loki
