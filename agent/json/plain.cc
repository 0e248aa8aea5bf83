#include "agent/json/plain.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace tideover {
namespace {

namespace json = boost::json;

void write(std::string& out, double number) {
  constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53: beyond it not every whole number is one
  const double size = std::abs(number);
  if (size < kExact && number == std::trunc(number))
    fmt::format_to(std::back_inserter(out), "{:.0f}", number == 0 ? 0.0 : number);
  else if (size >= 1e-6 && size < 1e-4)
    out += fmt::format("{:.10f}", number);
  else
    fmt::format_to(std::back_inserter(out), "{}", number);  // the shortest that is read back as the same
}

void write(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    const char* before = "{";
    for (const auto& entry : *object) {
      out += std::exchange(before, ",");
      out += json::serialize(json::value(entry.key()));
      out += ':';
      write(out, entry.value());
    }
    out += object->empty() ? "{}" : "}";
  } else if (const auto* list = value.if_array()) {
    const char* before = "[";
    for (const auto& item : *list) {
      out += std::exchange(before, ",");
      write(out, item);
    }
    out += list->empty() ? "[]" : "]";
  } else if (const auto* number = value.if_double(); number != nullptr && std::isfinite(*number)) {
    write(out, *number);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string plain_json(const json::value& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace tideover
