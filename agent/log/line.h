// One line of log as text; pure.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace tideover::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { logfmt, json };

inline constexpr std::size_t kValueBytesMax = 1024;

// `key` is a word of ours; `value` may come from anywhere.
struct Field {
  std::string_view key;
  std::string value;
  bool bare = false;  // a number or a truth value: no quotes

  Field(std::string_view name, std::string_view text)
      : key(name), value(text.substr(0, kValueBytesMax + 1)) {}
  Field(std::string_view name, const char* text) : Field(name, std::string_view(text)) {}
  Field(std::string_view name, const std::string& text) : Field(name, std::string_view(text)) {}
  Field(std::string_view name, bool truth) : key(name), value(truth ? "true" : "false"), bare(true) {}
  Field(std::string_view name, std::integral auto number)
      : key(name), value(std::to_string(number)), bare(true) {}
  Field(std::string_view name, double number);
};

// The words that stand for them, in the configuration and in the log: the one list.
inline constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{
    {{"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}}};
inline constexpr std::array<std::pair<std::string_view, Format>, 2> kFormats{
    {{"logfmt", Format::logfmt}, {"json", Format::json}}};
std::string_view to_string(Level level);

// Without a line break. Time in UTC with milliseconds; control bytes escaped, so that one event is one line.
std::string format_line(Format format, std::chrono::system_clock::time_point time, Level level,
                        std::string_view sentence, std::span<const Field> fields);

}  // namespace tideover::log
