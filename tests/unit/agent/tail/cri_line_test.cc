// Lines of a container's log, as containerd and CRI-O write them, and all that only looks like one.
#include "agent/tail/cri_line.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace tideover::tail {
namespace {

TEST_CASE("a line has a time, an output, whether it ends, and what was written") {
  const auto line = parse_cri_line("2026-11-28T10:00:00.123456789Z stderr F hello  world ");
  REQUIRE(line);
  CHECK(line->time_ns == 1'795'860'000'123'456'789);
  CHECK(line->output == Output::error);
  CHECK_FALSE(line->partial);
  CHECK(line->content == "hello  world ");
}

TEST_CASE("the first tag says whether the line goes on; others are for later") {
  for (const auto& [tags, partial] : std::vector<std::pair<std::string, bool>>{
           {"P", true}, {"F", false}, {"P:x:y", true}, {"F:P", false}, {"new", false}}) {
    CAPTURE(tags);
    const std::string text = "2026-11-28T10:00:00Z stdout " + tags + " x";
    const auto line = parse_cri_line(text);
    REQUIRE(line);
    CHECK(line->partial == partial);
    CHECK(line->content == "x");
  }
}

TEST_CASE("an empty line is one, with or without the space in front of nothing") {
  for (const char* text : {"2026-11-28T10:00:00Z stdout F ", "2026-11-28T10:00:00Z stdout F"}) {
    const auto line = parse_cri_line(text);
    REQUIRE(line);
    CHECK(line->content.empty());
  }
}

TEST_CASE("what was written is taken as it is, whatever bytes it has") {
  const std::string bytes("\0\xff\r\t F stdout ", 15);
  const std::string text = "2026-11-28T10:00:00Z stdout P " + bytes;
  const auto line = parse_cri_line(text);
  REQUIRE(line);
  CHECK(line->content == bytes);
}

TEST_CASE("what is no line of a runtime is known as such") {
  for (const char* text :
       {"", " ", "hello", "2026-11-28T10:00:00Z", "2026-11-28T10:00:00Z ", "2026-11-28T10:00:00Z stdout",
        "2026-11-28T10:00:00Z stdout ", "2026-11-28T10:00:00Z stdout  x", "2026-11-28T10:00:00Z stdin F x",
        "2026-11-28T10:00:00Z STDOUT F x", "2026-11-28 10:00:00 stdout F x", "yesterday stdout F x",
        " 2026-11-28T10:00:00Z stdout F x", "2026-11-28T10:00:00Z  stdout F x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cri_line(text));
  }
}

TEST_CASE("times are read to the nanosecond, in any zone") {
  const std::vector<std::pair<std::string, std::int64_t>> times = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01T00:00:00.5Z", 500'000'000},
      {"1970-01-01T00:00:00.000000001Z", 1},
      {"1970-01-01T00:00:00.1234567899Z", 123'456'789},
      {"1970-01-01T01:00:00+01:00", 0},
      {"1969-12-31T23:30:00-00:30", 0},
      {"1969-12-31T23:59:59.999999999Z", -1},
      {"2024-02-29T12:00:00+05:45", 1'709'187'300'000'000'000},
      {"2261-12-31T23:59:59Z", 9'214'646'399'000'000'000},
  };
  for (const auto& [text, ns] : times) {
    CAPTURE(text);
    const auto time = parse_time(text);
    REQUIRE(time);
    CHECK(*time == ns);
  }
}

TEST_CASE("a time that is none is not guessed at") {
  for (const char* text : {"",
                           "2026",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-02-30T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T00:60:00Z",
                           "2026-01-01T00:00:60Z",
                           "2026-01-01T00:00:00",
                           "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00+1:00",
                           "2026-01-01T00:00:00+24:00",
                           "2026-01-01T00:00:00+00:60",
                           "2026-01-01T00:00:00Zx",
                           "2026-01-01t00:00:00Z",
                           "-026-01-01T00:00:00Z",
                           "1677-12-31T23:59:59Z",
                           "2262-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text));
  }
}

}  // namespace
}  // namespace tideover::tail
