#include "agent/config/plain_text.h"

#include <fmt/format.h>

#include "wal/base/utf8.h"

namespace tideover::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct Lines {
  std::string_view rest;
  int number = 0;
  std::optional<std::string_view> next() {
    if (rest.empty()) return std::nullopt;
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    ++number;
    return line;
  }
};

}  // namespace

std::optional<Fault> unreadable_byte(std::string_view text) {
  Lines lines{text};
  while (const auto line = lines.next()) {
    for (std::size_t i = 0; i < line->size();) {
      const Place place{lines.number, static_cast<int>(i) + 1};
      const auto byte = static_cast<unsigned char>((*line)[i]);
      if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f)
        return Fault{place, fmt::format("a control byte (0x{:02x}): is this a text file?", byte)};
      const auto length = utf8_length(line->substr(i));
      if (length == 0) return Fault{place, fmt::format("a byte that is not UTF-8 (0x{:02x})", byte)};
      if (line->substr(i).starts_with(kByteOrderMark))
        return Fault{place, "a byte order mark (U+FEFF): save the file as UTF-8 without one"};
      i += length;
    }
  }
  return std::nullopt;
}

std::optional<Place> tab_in_indentation(std::string_view text, int last_line) {
  Lines lines{text};
  while (const auto line = lines.next()) {
    if (lines.number > last_line) break;
    const auto text_at = line->find_first_not_of(" \t\r");
    const auto tab_at = line->find('\t');
    if (text_at == std::string_view::npos || (*line)[text_at] == '#') continue;
    if (tab_at < text_at) return Place{lines.number, static_cast<int>(tab_at) + 1};
  }
  return std::nullopt;
}

bool has_open_quote(std::string_view value) {
  if (!value.starts_with('\'') && !value.starts_with('"')) return false;
  const char quote = value[0];
  for (std::size_t i = 1; i < value.size(); ++i) {
    const bool doubled = quote == '\'' && value.substr(i, 2) == "''";
    const bool escaped = quote == '"' && value[i] == '\\';
    if (doubled || escaped)
      ++i;
    else if (value[i] == quote)
      return false;
  }
  return true;
}

}  // namespace tideover::config
