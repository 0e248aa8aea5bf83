// One pass over the protobuf wire format of a decoded write request: validates it, counts it, allocates
// nothing per series on the good path. The hot path of intake; tests hold it against the generated protobuf
// code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/remote_write.h"
#include "wal/base/result.h"

namespace tideover::remote_write {

struct Counts {
  std::uint32_t series = 0;
  std::uint32_t floats = 0;
  std::uint32_t histograms = 0;
  std::uint32_t exemplars = 0;
  std::uint32_t metadata = 0;
};

// One series that may not be stored, in the words of the 400 answer.
struct Fault {
  std::uint32_t series;  // index within the request
  std::string sentence;  // names what, where and, where it helps, the label
};

struct Scan {
  Counts counts;  // of the valid series only
  std::int64_t oldest_ms = 0;
  std::int64_t newest_ms = 0;
  bool sorted = true;
  bool start_timestamps = false;
  bool stale_markers = false;  // floats that say that their series has ended
  std::uint32_t faulty_series = 0;
  std::vector<Fault> faults;  // the first few; faulty_series counts all

  bool clean() const { return faulty_series == 0; }
};

// `raw` is the message after decompression.
// Errors: bad_input when it does not decode as a message of `version` at all, too_large when it holds more
// than limits.h allows (nothing of it may be stored).
Result<Scan> scan(std::string_view raw, Version version);

// The request without its faulty series, byte for byte otherwise. Slow path: only when !clean().
std::string without_faults(std::string_view raw, Version version);

}  // namespace tideover::remote_write
