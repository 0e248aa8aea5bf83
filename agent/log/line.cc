#include "agent/log/line.h"

#include <algorithm>
#include <cmath>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <iterator>

#include "wal/base/utf8.h"

namespace tideover::log {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Legal inside the quotes of both formats. Bytes that are no text become U+FFFD.
void append_escaped(std::string& out, std::string_view text) {
  const bool cut = text.size() > kValueBytesMax;
  text = utf8_front(text, kValueBytesMax);
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0)
      out += kReplacement;
    else if (c == '"' || c == '\\')
      (out += '\\') += text[i];
    else if (c == '\n')
      out += "\\n";
    else if (c < 0x20 || c == 0x7f ||
             (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0))  // C0, DEL, C1
      fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                     length == 1 ? c : static_cast<unsigned char>(text[i + 1]));
    else
      out += text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  if (cut) out += "...";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= kValueBytesMax && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ms);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (ms - seconds).count());
}

}  // namespace

Field::Field(std::string_view name, double number)
    : key(name), value(std::isfinite(number) ? fmt::format("{:.6g}", number) : "null"), bare(true) {}

std::string_view to_string(Level level) {
  return std::ranges::find(kLevels, level, [](const auto& word) { return word.second; })->first;
}

std::string format_line(Format format, std::chrono::system_clock::time_point time, Level level,
                        std::string_view sentence, std::span<const Field> fields) {
  const bool json = format == Format::json;
  std::string out =
      json ? fmt::format(R"({{"time":"{}","level":"{}","msg":)", timestamp(time), to_string(level))
           : fmt::format("time={} level={} msg=", timestamp(time), to_string(level));
  append_quoted(out, sentence);
  for (const Field& field : fields) {
    out += json ? ",\"" : " ";
    out += field.key;
    out += json ? "\":" : "=";
    if (field.bare || (!json && is_plain_word(field.value)))
      out += field.value;
    else
      append_quoted(out, field.value);
  }
  if (json) out += '}';
  return out;
}

}  // namespace tideover::log
