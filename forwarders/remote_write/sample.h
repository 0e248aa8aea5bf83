// One float sample. Its value is never touched: eight bytes that are copied as they are, so that stale
// markers and NaN payloads survive.
#pragma once

#include <cstdint>
#include <string_view>

#include "forwarders/remote_write/remote_write.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write {

struct SampleFacts {
  std::int64_t timestamp_ms = 0;  // absent on the wire means 0
  std::int64_t start_ms = 0;      // only 2.0 has it
  bool stale = false;             // a stale marker
};

// Fields of both versions; field 3 is the start timestamp of 2.0 and unknown to 1.0.
enum SampleField : std::uint32_t { kSampleValue = 1, kSampleFactstamp = 2, kSampleStart = 3 };

// False when the bytes are no sample message of `version`.
template <Version version>
[[nodiscard]] inline bool read_sample(std::string_view bytes, SampleFacts& out) {
  wire::Reader reader(bytes);
  std::uint64_t value;
  while (!reader.done()) {
    std::uint32_t tag;
    if (!reader.tag(tag)) return false;
    if (tag == wire::tag_of(kSampleValue, wire::kFixed64)) {
      if (!reader.fixed64(value)) return false;
      out.stale = value == kStaleMarkerBits;
    } else if (tag == wire::tag_of(kSampleFactstamp, wire::kVarint)) {
      if (!reader.varint(value)) return false;
      out.timestamp_ms = static_cast<std::int64_t>(value);
    } else if (version == Version::v2 && tag == wire::tag_of(kSampleStart, wire::kVarint)) {
      if (!reader.varint(value)) return false;
      out.start_ms = static_cast<std::int64_t>(value);
    } else {
      constexpr std::uint32_t known_max = version == Version::v2 ? kSampleStart : kSampleFactstamp;
      if (wire::field_of(tag) <= known_max || !reader.skip(tag)) return false;
    }
  }
  return true;
}

}  // namespace tideover::remote_write
