#include "forwarders/remote_write/utf8.h"

#include <catch2/catch.hpp>
#include <string>

namespace tideover::remote_write {
namespace {

// The definition, a code point at a time: what is_utf8 must agree with.
std::string encode(char32_t code) {
  std::string out;
  if (code < 0x80) return {static_cast<char>(code)};
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xff00 >> (more + 1) & 0xff) | code >> (6 * more));
  for (int i = more; i-- > 0;) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
  return out;
}

TEST_CASE("every code point but the surrogates is UTF-8, and no prefix of it alone") {
  for (char32_t code = 0; code <= 0x10ffff; ++code) {
    const std::string text = encode(code);
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (is_utf8(text) == surrogate) FAIL("code point " << static_cast<std::uint32_t>(code));
    for (std::size_t cut = 1; cut < text.size(); ++cut)
      if (is_utf8(text.substr(0, cut))) FAIL("prefix of code point " << static_cast<std::uint32_t>(code));
  }
}

TEST_CASE("overlong forms, stray bytes and numbers above U+10FFFF are not UTF-8") {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xc3(", "a\xc3"})
    CHECK_FALSE(is_utf8(text));
}

TEST_CASE("a bad byte is found wherever it stands") {
  for (std::size_t size = 1; size <= 100; ++size) {
    std::string text(size, 'a');
    CHECK(is_ascii(text));
    CHECK(is_utf8(text));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\xff';
      if (is_ascii(text) || is_utf8(text)) FAIL("byte " << at << " of " << size);
      text[at] = 'a';
    }
  }
  CHECK(is_ascii(""));
  CHECK(is_utf8(""));
}

}  // namespace
}  // namespace tideover::remote_write
