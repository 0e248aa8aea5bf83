// The one rule for bytes that are no text.
#include "agent/tail/text.h"

#include <catch2/catch.hpp>

namespace tideover::tail {
namespace {

const std::string kBad = "\xef\xbf\xbd";  // U+FFFD

std::string cleaned(std::string_view text, std::size_t bytes_max = 100, bool cut = false) {
  std::string scratch = "left over";
  return std::string(clean(text, bytes_max, cut, scratch));
}

TEST_CASE("text stays as it is, without a copy, NUL and control characters included") {
  const std::string text("a\0b\r\t\x1b \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 and more than eight", 38);
  std::string scratch;
  const std::string_view kept = clean(text, 100, false, scratch);
  CHECK(kept == text);
  CHECK(static_cast<const void*>(kept.data()) == text.data());
}

TEST_CASE("each byte with which no character begins becomes one U+FFFD") {
  CHECK(cleaned("a\xff\xfe z") == "a" + kBad + kBad + " z");
  CHECK(cleaned("\x80") == kBad);
  CHECK(cleaned("12345678\xc3") == "12345678" + kBad);
  CHECK(cleaned("\xe2\x82 12345678") == kBad + kBad + " 12345678");
  CHECK(cleaned("\xc0\xaf") == kBad + kBad);             // overlong
  CHECK(cleaned("\xed\xa0\x80") == kBad + kBad + kBad);  // half of a surrogate pair
}

TEST_CASE("whatever bytes there are, text comes out, within its bound") {
  std::string bytes;
  for (int round = 0; round < 3; ++round)
    for (int value = 255; value >= 0; --value) bytes += static_cast<char>(value * (round + 1));
  for (std::size_t from = 0; from < bytes.size(); ++from) {
    const std::string_view part = std::string_view(bytes).substr(from, 40);
    CAPTURE(from);
    CHECK(is_utf8(cleaned(part)));
    CHECK(is_utf8(cleaned(part, 7)));
    CHECK(cleaned(part, 7).size() <= 7);
  }
}

TEST_CASE("a line that was cut in the midst of a character ends before it") {
  CHECK(cleaned("ab\xe2\x82", 4, true) == "ab");
  CHECK(cleaned("ab\xe2\x82\xac", 5, true) == "ab\xe2\x82\xac");
  CHECK(cleaned("ab\xf0\x9f\x98", 5, true) == "ab");
  CHECK(cleaned("ab\xc3", 3, true) == "ab");
  CHECK(cleaned("ab", 2, true) == "ab");
  CHECK(cleaned("ab\xe2\x82", 5, false) == "ab" + kBad);  // as much of it as fits
}

}  // namespace
}  // namespace tideover::tail
