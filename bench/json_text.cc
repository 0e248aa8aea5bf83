#include "bench/json_text.h"

#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>

namespace tideover::bench {
namespace {

std::string quoted(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

template <class Values, class ToText>
std::string array_of(const Values& values, ToText to_text) {
  std::string array;
  for (const auto& value : values) array += (array.empty() ? "" : ", ") + to_text(value);
  return "[" + array + "]";
}

}  // namespace

JsonObject& JsonObject::put(std::string_view name, const std::string& value) {
  members_ += fmt::format("{}{}: {}", members_.empty() ? "" : ", ", quoted(name), value);
  return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
  return put(name, quoted(value));
}
JsonObject& JsonObject::texts(std::string_view name, const std::vector<std::string>& values) {
  return put(name, array_of(values, quoted));
}
JsonObject& JsonObject::flag(std::string_view name, bool value) {
  return put(name, value ? "true" : "false");
}
JsonObject& JsonObject::count(std::string_view name, std::uint64_t value) {
  return put(name, fmt::format("{}", value));
}
JsonObject& JsonObject::number(std::string_view name, double value, int decimals) {
  return std::isfinite(value) ? put(name, fmt::format("{:.{}f}", value, decimals)) : nothing(name);
}
JsonObject& JsonObject::object(std::string_view name, const JsonObject& value) {
  return put(name, value.str());
}
JsonObject& JsonObject::objects(std::string_view name, const std::vector<JsonObject>& values) {
  return put(name, array_of(values, [](const JsonObject& value) { return value.str(); }));
}
JsonObject& JsonObject::nothing(std::string_view name) { return put(name, "null"); }

}  // namespace tideover::bench
