#include "forwarders/loki/go_time.h"

#include <charconv>
#include <chrono>
#include <string_view>

namespace tideover::loki {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  std::string_view rest() const { return text_; }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok_ = ok_ && take(c); }

  // Exactly `digits` of them.
  int number(std::size_t digits) {
    int value = 0;
    const bool enough = text_.size() >= digits && text_.front() != '-';
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + (enough ? digits : 0), value);
    if (!enough || error != std::errc{} || end != text_.data() + digits) {
      ok_ = false;
      return 0;
    }
    text_.remove_prefix(digits);
    return value;
  }

  // Behind the point.
  std::int64_t nanos() {
    std::int64_t value = 0;
    std::int64_t unit = 100'000'000;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1)) {
      value += unit * (text_.front() - '0');
      unit /= 10;
    }
    return value;
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

std::int64_t take_offset_seconds(Scanner& scan) {
  if (scan.take('Z')) return 0;
  const bool east = scan.take('+');
  if (!east) scan.expect('-');
  const int hours = scan.number(2);
  scan.take(':');
  const int seconds = hours * 3600 + scan.number(2) * 60;
  return east ? seconds : -seconds;
}

}  // namespace

std::optional<std::int64_t> take_go_time(std::string_view& text) {
  namespace chrono = std::chrono;
  Scanner scan(text);
  const int year = scan.number(4);
  scan.expect('-');
  const int month = scan.number(2);
  scan.expect('-');
  const int day = scan.number(2);
  if (!scan.take('T')) scan.expect(' ');
  std::int64_t seconds = scan.number(2) * 3600;
  scan.expect(':');
  seconds += scan.number(2) * 60;
  scan.expect(':');
  seconds += scan.number(2);
  const std::int64_t nanos = scan.take('.') ? scan.nanos() : 0;
  scan.take(' ');
  seconds -= take_offset_seconds(scan);
  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!scan.ok() || !date.ok()) return std::nullopt;
  seconds += chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86'400};
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(seconds, std::int64_t{1'000'000'000}, &ns) ||
      __builtin_add_overflow(ns, nanos, &ns))
    return std::nullopt;
  text = scan.rest();
  return ns;
}

}  // namespace tideover::loki
