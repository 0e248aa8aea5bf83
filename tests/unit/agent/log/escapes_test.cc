// What a log line does to a value, so that whoever parses it gets the value back.
#include <catch2/catch.hpp>
#include <string>

#include "agent/log/line.h"

namespace tideover::log {
namespace {

std::string value_of(Format format, std::string_view value) {
  const Field field("v", value);
  const std::string line = format_line(format, {}, Level::info, "s", {&field, 1});
  const std::size_t at = line.rfind(format == Format::json ? "\"v\":" : " v=");
  return line.substr(at + (format == Format::json ? 4 : 3));
}

TEST_CASE(
    "a value of logfmt is quoted unless it is one plain word, and escapes only what ends or breaks it") {
  for (const char* plain : {"thanos", "127.0.0.1:9", "a/b-c_d", "100%"})
    CHECK(value_of(Format::logfmt, plain) == plain);
  CHECK(value_of(Format::logfmt, "a=b") == R"("a=b")");
  CHECK(value_of(Format::logfmt, "a b") == R"("a b")");
  CHECK(value_of(Format::logfmt, "") == R"("")");
  CHECK(value_of(Format::logfmt, R"(a"b)") == R"("a\"b")");
  CHECK(value_of(Format::logfmt, R"(C:\dir)") == R"("C:\\dir")");
  CHECK(value_of(Format::logfmt, R"(ends\)") == R"("ends\\")");
  CHECK(value_of(Format::logfmt, "a\nb") == R"("a\nb")");
  CHECK(value_of(Format::logfmt, "\xc3\xbc") == "\"\xc3\xbc\"");
}

TEST_CASE("a value of JSON is always quoted, and its backslashes are escaped") {
  CHECK(value_of(Format::json, "thanos") == R"("thanos"})");
  CHECK(value_of(Format::json, R"(C:\dir)") == R"("C:\\dir"})");
  CHECK(value_of(Format::json, "a\tb") == R"("a\u0009b"})");
}

TEST_CASE("a value is cut behind a thousand bytes, and says so") {
  CHECK(value_of(Format::logfmt, std::string(kValueBytesMax, 'a')) == std::string(kValueBytesMax, 'a'));
  CHECK(value_of(Format::logfmt, std::string(kValueBytesMax + 1, 'a')) ==
        "\"" + std::string(kValueBytesMax, 'a') + "...\"");
}

TEST_CASE("a time has three digits of milliseconds") {
  using namespace std::chrono_literals;
  const auto line =
      format_line(Format::logfmt, std::chrono::system_clock::time_point(5ms), Level::error, "s", {});
  CHECK(line == R"(time=1970-01-01T00:00:00.005Z level=error msg="s")");
}

}  // namespace
}  // namespace tideover::log
