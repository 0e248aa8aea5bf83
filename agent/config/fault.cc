#include "agent/config/fault.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/config/secret_lines.h"
#include "wal/base/utf8.h"

namespace tideover::config {
namespace {

constexpr std::size_t kShownFaults = 50;
constexpr std::size_t kShownLineBytes = 160;
constexpr std::size_t kQuotedBytes = 60;

std::string_view line_of(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// A character that may steer a terminal: ASCII's control bytes, and U+0080 to U+009F.
bool is_control(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  return character.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

// Tabs stay tabs, so that the caret stands below its character; what is no printable text becomes '?'.
std::string shown(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const std::size_t length = utf8_length(line);
    const std::string_view character = line.substr(0, std::max<std::size_t>(length, 1));
    if (out.size() + character.size() > kShownLineBytes) break;
    if (length == 0 || (is_control(character) && character != "\t"))
      out += '?';
    else
      out += character;
    line.remove_prefix(character.size());
  }
  return out;
}

std::string blanks_before(std::string_view line, std::size_t column) {
  std::string out;
  for (char c : shown(line.substr(0, column)))
    if (!is_continuation(c)) out += c == '\t' ? '\t' : ' ';
  return out;
}

}  // namespace

std::string render(std::vector<Fault> faults, std::string_view file_name, std::string_view text) {
  std::ranges::stable_sort(faults, [](const Fault& a, const Fault& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  const std::vector<bool> secret = secret_lines(text);
  const auto may_be_shown = [&secret](int line) {
    const auto index = static_cast<std::size_t>(line - 1);
    return index < secret.size() && !secret[index];
  };
  std::string out;
  auto to = std::back_inserter(out);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (i == kShownFaults) {
      fmt::format_to(to, "{}: and {} more errors\n", file_name, faults.size() - i);
      break;
    }
    const auto& [place, sentence] = faults[i];
    if (place.line < 1) {
      fmt::format_to(to, "{}: {}\n", file_name, sentence);
      continue;
    }
    fmt::format_to(to, "{}:{}:{}: {}\n", file_name, place.line, place.column, sentence);
    const auto line = line_of(text, place.line);
    const auto before = static_cast<std::size_t>(std::max(place.column - 1, 0));
    if (line.empty() || before > std::min(line.size(), kShownLineBytes) || !may_be_shown(place.line))
      continue;
    fmt::format_to(to, "{:>5} | {}\n      | {}^\n", place.line, shown(line), blanks_before(line, before));
  }
  return out;
}

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  std::size_t end = 0;
  while (end < value.size()) {
    const std::size_t length = utf8_length(value.substr(end));
    const std::string_view character = value.substr(end, std::max<std::size_t>(length, 1));
    if (end + character.size() > kQuotedBytes) break;
    if (length == 0 || is_control(character))
      for (const char c : character)
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += character;
    end += character.size();
  }
  return out + (end < value.size() ? "...\"" : "\"");
}

}  // namespace tideover::config
