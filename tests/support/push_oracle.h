// What generated protobuf code reads in a push request of Loki's: the oracle of the scanner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tideover::test {

struct PushedEntry {
  std::int64_t ns = 0;
  std::string line;
  std::vector<std::pair<std::string, std::string>> metadata = {};

  bool operator==(const PushedEntry&) const = default;
};

struct PushedStream {
  std::string labels;
  std::vector<PushedEntry> entries;

  bool operator==(const PushedStream&) const = default;
};

using PushedStreams = std::vector<PushedStream>;

// Nothing, when it is no push request. Stricter than generated code where Loki's own parser is: a known field
// of another wire type and a time outside of the years 1 to 9999; and where the scanner is on purpose:
// unknown groups nested deeper than wire::kGroupDepthMax.
std::optional<PushedStreams> pushed_as_generated_code_reads(std::string_view raw);

std::optional<PushedStreams> pushed_as_scanned(std::string_view raw);

std::string written_by_generated_code(const PushedStreams& streams);

}  // namespace tideover::test
