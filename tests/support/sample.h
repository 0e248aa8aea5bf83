// A sample as the tests compare it: series, timestamp, and the bits of its value.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/write_request_builder.h"

namespace tideover::sim {

using SeriesId = std::uint32_t;

struct Sample {
  SeriesId series = 0;
  std::int64_t ts_ms = 0;
  std::uint64_t bits = 0;  // of the float, or a digest of the histogram's bytes

  auto operator<=>(const Sample&) const = default;
};

// Gives every label set a number.
class SeriesTable {
 public:
  SeriesId id(const std::map<std::string, std::string>& labels);
  const std::string& name(SeriesId id) const { return names_[id]; }

 private:
  std::map<std::map<std::string, std::string>, SeriesId> ids_;
  std::vector<std::string> names_;
};

Sample sample_of(const test::Point& point, SeriesTable& names);

}  // namespace tideover::sim
