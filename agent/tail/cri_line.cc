#include "agent/tail/cri_line.h"

#include <chrono>

namespace tideover::tail {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Fixed digits at the front, taken off `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

// Digits behind the point, as nanoseconds; more than nine are cut, as Go's parser does.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t value = 0;
  std::int64_t unit = kSecond / 10;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    value += unit * (text[digits] - '0');
    unit /= 10;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

std::optional<int> take_offset_minutes(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  const bool behind = text.starts_with('-');
  if (!behind && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return (behind ? -1 : 1) * (*hours * 60 + *minutes);
}

std::optional<std::string_view> take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  if (space == text.npos || space == 0) return std::nullopt;
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space + 1);
  return word;
}

}  // namespace

std::string_view to_string(Output output) { return output == Output::standard ? "stdout" : "stderr"; }

std::optional<std::int64_t> parse_time(std::string_view text) {
  namespace chr = std::chrono;
  const auto year = take_digits(text, 4);
  const auto month = year && take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto day = month && take(text, '-') ? take_digits(text, 2) : std::nullopt;
  const auto hour = day && take(text, 'T') ? take_digits(text, 2) : std::nullopt;
  const auto minute = hour && take(text, ':') ? take_digits(text, 2) : std::nullopt;
  const auto second = minute && take(text, ':') ? take_digits(text, 2) : std::nullopt;
  const auto fraction = second ? take_fraction(text) : std::nullopt;
  const auto offset = fraction ? take_offset_minutes(text) : std::nullopt;
  if (!offset || !text.empty()) return std::nullopt;
  const chr::year_month_day date{chr::year(*year), chr::month(static_cast<unsigned>(*month)),
                                 chr::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  if (*year < 1678 || *year > 2261) return std::nullopt;
  const auto at =
      chr::sys_days(date) + chr::hours(*hour) + chr::minutes(*minute - *offset) + chr::seconds(*second);
  return chr::duration_cast<chr::seconds>(at.time_since_epoch()).count() * kSecond + *fraction;
}

std::optional<CriLine> parse_cri_line(std::string_view line) {
  CriLine parsed;
  const auto time = take_word(line);
  const auto at = time ? parse_time(*time) : std::nullopt;
  const auto output = at ? take_word(line) : std::nullopt;
  if (!output || (*output != "stdout" && *output != "stderr")) return std::nullopt;
  parsed.time_ns = *at;
  parsed.output = *output == "stdout" ? Output::standard : Output::error;
  // As kubelet does, whatever is not P ends a line; unlike it we take one that ends with its tags.
  const std::size_t space = line.find(' ');
  const std::string_view tags = line.substr(0, space);
  if (tags.empty()) return std::nullopt;
  parsed.partial = tags.substr(0, tags.find(':')) == "P";
  parsed.content = space == line.npos ? std::string_view() : line.substr(space + 1);
  return parsed;
}

}  // namespace tideover::tail
