// What a scan must find, worked out a second time on the objects of generated protobuf code: slow, plain, and
// without a line of the codec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::test {

struct Expectation {
  bool decodes = false;
  std::uint32_t series = 0;  // valid ones; and likewise below
  std::uint32_t floats = 0;
  std::uint32_t histograms = 0;
  std::uint32_t exemplars = 0;
  std::uint32_t metadata = 0;
  std::uint32_t faulty = 0;
  bool sorted = true;
  bool start_timestamps = false;
  bool stale_markers = false;
  std::int64_t oldest_ms = 0;
  std::int64_t newest_ms = 0;

  bool operator==(const Expectation&) const = default;
};

Expectation expected_of(std::string_view raw, remote_write::Version version);

// The series and metadata entries that a scan must let pass, as generated code writes them; none when `raw`
// does not decode.
std::vector<std::string> valid_parts_of(std::string_view raw, remote_write::Version version);

}  // namespace tideover::test
