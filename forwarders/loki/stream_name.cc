#include "forwarders/loki/stream_name.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace tideover::loki {
namespace {

// Added by the receiver, whether or not we sent it too.
bool is_added(std::string_view name) { return name == "service_name" || name == "__stream_shard__"; }

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

void add_utf8(std::string& out, std::uint32_t rune) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) return add(rune);
  if (rune < 0x800) {
    add(0xc0 | rune >> 6);
  } else {
    if (rune < 0x10000) {
      add(0xe0 | rune >> 12);
    } else {
      add(0xf0 | rune >> 18);
      add(0x80 | (rune >> 12 & 0x3f));
    }
    add(0x80 | (rune >> 6 & 0x3f));
  }
  add(0x80 | (rune & 0x3f));
}

// `digits` of them, at the front.
std::optional<std::uint32_t> take_number(std::string_view& text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, base);
  if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// Behind the backslash (Go's language specification, "String literals").
bool take_escape(std::string_view& text, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\\"'";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
  if (text.empty()) return false;
  if (const std::size_t at = kLetters.find(text.front()); at != kLetters.npos) {
    out += kMeanings[at];
    text.remove_prefix(1);
    return true;
  }
  const char kind = text.front();
  if (kind >= '0' && kind <= '7') {
    const auto byte = take_number(text, 3, 8);
    if (byte) out += static_cast<char>(*byte);
    return byte.has_value();
  }
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
  if (digits == 0) return false;
  text.remove_prefix(1);
  const auto value = take_number(text, digits, 16);
  if (!value) return false;
  if (kind == 'x')
    out += static_cast<char>(*value);
  else
    add_utf8(out, *value);
  return true;
}

std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (take(text, '`')) {
    const std::size_t end = text.find('`');
    if (end == text.npos) return std::nullopt;
    value = text.substr(0, end);
    text.remove_prefix(end + 1);
    return value;
  }
  if (!take(text, '"')) return std::nullopt;
  while (!text.empty()) {
    if (take(text, '"')) return value;
    if (take(text, '\\')) {
      if (!take_escape(text, value)) return std::nullopt;
      continue;
    }
    value += text.front();
    text.remove_prefix(1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<StreamName> StreamName::take(std::string_view& text) {
  std::string_view rest = text;
  StreamName stream;
  if (!loki::take(rest, '{')) return std::nullopt;
  for (skip_spaces(rest); !loki::take(rest, '}'); skip_spaces(rest)) {
    const auto* end = std::find_if_not(rest.begin(), rest.end(), is_name);
    const std::string_view name = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(name.size());
    skip_spaces(rest);
    if (name.empty() || !loki::take(rest, '=')) return std::nullopt;
    skip_spaces(rest);
    auto value = take_value(rest);
    if (!value) return std::nullopt;
    if (!value->empty() && !is_added(name)) stream.labels_.emplace_back(name, *std::move(value));
    skip_spaces(rest);
    if (!loki::take(rest, ',') && !rest.starts_with('}')) return std::nullopt;
  }
  std::sort(stream.labels_.begin(), stream.labels_.end());
  text = rest;
  return stream;
}

std::optional<StreamName> StreamName::of(std::string_view labels) {
  auto stream = take(labels);
  skip_spaces(labels);
  return labels.empty() ? stream : std::nullopt;
}

}  // namespace tideover::loki
