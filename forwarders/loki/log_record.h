// How the payload of a record of logs is to be read: wal::Attributes::encoding of the lanes of logs. ADR 27.
#pragma once

#include <cstdint>

namespace tideover::loki {

enum class Encoding : std::uint16_t {
  push = 1,  // a push request (push_scan.h), compressed as a block of snappy: what Loki is sent
};

// No record is larger than this once decompressed, whoever made it.
inline constexpr std::uint64_t kRecordRawBytesMax = 32 << 20;

}  // namespace tideover::loki
