#include "agent/tail/text.h"

#include <cstdint>
#include <cstring>

#include "wal/base/utf8.h"

namespace tideover::tail {
namespace {

// How much of the front is UTF-8. Nearly all lines are ASCII to their end: eight bytes at once.
std::size_t valid_front(std::string_view text) {
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    for (std::uint64_t word; at + sizeof(word) <= text.size(); at += sizeof(word)) {
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & kHigh) != 0) break;
    }
    if (at == text.size()) break;
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

// Without a character at the end that has begun and lacks bytes.
std::string_view without_half(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;  // goes on
    const std::size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return whole > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

}  // namespace

bool is_utf8(std::string_view text) { return valid_front(text) == text.size(); }

std::string_view clean(std::string_view text, std::size_t bytes_max, bool cut, std::string& scratch) {
  if (cut) text = without_half(text);
  std::size_t valid = valid_front(text);
  if (valid == text.size()) return utf8_front(text, bytes_max);
  scratch.clear();
  while (!text.empty() && scratch.size() <= bytes_max) {
    scratch += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    scratch += "\xef\xbf\xbd";
    text.remove_prefix(1);
    valid = valid_front(text);
  }
  return utf8_front(scratch, bytes_max);
}

}  // namespace tideover::tail
