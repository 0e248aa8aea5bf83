// Remote Write as both edges speak of it: versions, flags and tallies of a record. The codec of one folder
// serves intake (scan) and forwarding (merge, slice, convert). Protobuf on the wire, no generated code: see
// scan.h.
//
// Sources: Remote Write 1.0 and 2.0-rc.4 specifications (prometheus.io), prompb/remote.proto,
// writev2/types.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wal/record.h"

namespace tideover::remote_write {

// Attributes::encoding of a metrics record: payload = snappy block of the message.
enum class Version : std::uint16_t { v1 = 1, v2 = 2 };

// Attributes::flags.
enum Flag : std::uint16_t {
  kSorted = 1,           // every series' labels are sorted by name: may go out byte-identical
  kStartTimestamps = 2,  // carries start timestamps, which 1.0 cannot
  kStaleMarkers = 4,     // carries stale markers as floats; see mergeable() for what they may not precede
};
// Prometheus' model/value/value.go: StaleNaN.
inline constexpr std::uint64_t kStaleMarkerBits = 0x7ff0000000000002;

// Attributes::tallies; Attributes::units = floats + histograms.
enum Tally : std::size_t { kFloats = 0, kHistograms = 1, kExemplars = 2, kMetadata = 3 };

inline constexpr std::size_t kDecodedBytesMax =
    32 << 20;  // as Prometheus' receiver (storage/remote/write_handler.go)

// "application/x-protobuf" and friends; emitted without a space, since Thanos compares exactly.
std::string_view content_type(Version version);
std::string_view version_header(Version version);  // X-Prometheus-Remote-Write-Version

}  // namespace tideover::remote_write
