#include "tests/support/sample.h"

#include <string_view>

namespace tideover::sim {
namespace {

// FNV-1a: the same on every platform.
std::uint64_t digest(std::uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace

SeriesId SeriesTable::id(const std::map<std::string, std::string>& labels) {
  const auto [it, fresh] = ids_.try_emplace(labels, static_cast<SeriesId>(names_.size()));
  if (!fresh) return it->second;
  std::string name;
  for (const auto& [key, value] : labels) name += (name.empty() ? "" : ",") + key + "=\"" + value + "\"";
  names_.push_back("{" + name + "}");
  return it->second;
}

Sample sample_of(const test::Point& point, SeriesTable& names) {
  const std::uint64_t bits =
      point.histogram.empty() ? point.value_bits : digest(point.value_bits, point.histogram);
  return {names.id(point.labels), point.timestamp_ms, bits};
}

}  // namespace tideover::sim
