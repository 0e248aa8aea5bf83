#include "agent/log/log.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "agent/log/rate_limit.h"

namespace tideover::log {
namespace {

using namespace std::chrono_literals;

const std::chrono::system_clock::time_point kTime{1'700'000'000'042ms};

std::string line(Format format, std::string_view sentence, std::initializer_list<Field> fields) {
  return format_line(format, kTime, Level::warn, sentence, {fields.begin(), fields.size()});
}

struct Captured {
  std::vector<std::string> lines;
  explicit Captured(Level level = Level::info) {
    configure({.level = level, .write = [this](std::string_view text) { lines.emplace_back(text); }});
  }
  ~Captured() { configure({}); }
};

TEST_CASE("a logfmt line is time, level, sentence and fields, quoted where needed") {
  CHECK(
      line(Format::logfmt, "destination is down",
           {{"destination", "thanos"}, {"backlog_bytes", 17}, {"error", "no route"}, {"up", false}}) ==
      R"(time=2023-11-14T22:13:20.042Z level=warn msg="destination is down" destination=thanos backlog_bytes=17 error="no route" up=false)");
}

TEST_CASE("a JSON line has the same content, numbers as numbers") {
  CHECK(
      line(Format::json, "destination is down",
           {{"destination", "thanos"}, {"backlog_bytes", 17}, {"ratio", 0.5}}) ==
      R"({"time":"2023-11-14T22:13:20.042Z","level":"warn","msg":"destination is down","destination":"thanos","backlog_bytes":17,"ratio":0.5})");
}

TEST_CASE("what others send cannot break a line, forge a field or colour a terminal") {
  const std::string hostile = "x\" level=error\nmsg=\"\x1b[31m\x7f\xc2\x9b\xff";
  for (const auto format : {Format::logfmt, Format::json}) {
    const auto text = line(format, "s", {{"answer", hostile}});
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x7f') == std::string::npos);
    CHECK(text.find("\xc2\x9b") == std::string::npos);
    CHECK(text.find('\xff') == std::string::npos);
    CHECK(text.find(R"(x\" level=error\nmsg=\"\u001b[31m\u007f\u009b)"
                    "\xef\xbf\xbd") != std::string::npos);
  }
}

TEST_CASE("a long value is cut between letters") {
  const std::string value = std::string(kValueBytesMax - 1, 'a') + "\xc3\xbc and more";
  CHECK(line(Format::logfmt, "s", {{"v", value}}).ends_with("a...\""));
}

TEST_CASE("a number that JSON does not know is null") {
  CHECK(line(Format::json, "s", {{"v", 0.0 / 0.0}}).ends_with("\"v\":null}"));
}

TEST_CASE("events below the level are not written") {
  Captured log(Level::warn);
  event(Level::info, "unimportant");
  event(Level::warn, "important");
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0].find("important") != std::string::npos);
}

TEST_CASE("one call site cannot flood the log, and what it left out is counted") {
  Captured log;
  for (int i = 0; i < 1000; ++i) event(Level::warn, "again");
  event(Level::info, "another site is not held back");
  CHECK(log.lines.size() == RateLimit::kLines + 1);
  flush();
  REQUIRE(log.lines.size() == RateLimit::kLines + 2);
  CHECK(log.lines.back().find("left out of the log\" count=990 file=log_test.cc") != std::string::npos);
}

TEST_CASE("a call site may write again when its window is over") {
  RateLimit limit;
  RateLimit::Time now{1h};
  for (std::uint32_t i = 0; i < RateLimit::kLines; ++i) CHECK(limit.allow(now));
  CHECK_FALSE(limit.allow(now + 9s));
  CHECK(limit.take_left_out(now + 9s) == 0);
  CHECK(limit.take_left_out(now + 10s) == 1);
  CHECK(limit.take_left_out(now + 10s) == 0);
  CHECK(limit.allow(now + 10s));
}

}  // namespace
}  // namespace tideover::log
