// A record of lines: what its payload is, and how one is made. ADR 27.
#pragma once

#include <cstdint>
#include <string_view>

#include "wal/record.h"

namespace tideover::loki {

// wal::Attributes::encoding in the lanes of logs.
enum class Encoding : std::uint16_t {
  push = 1,  // a push request (push_scan.h), compressed as a block of snappy: what Loki is sent
};

// No record is larger than this once decompressed, whoever made it.
inline constexpr std::uint64_t kRecordRawBytesMax = 32 << 20;

// What a push request holds, for the attributes of its record.
struct PushFacts {
  std::uint32_t entries = 0;
  std::int64_t oldest_ns = 0;
  std::int64_t newest_ns = 0;
};

wal::NewRecord push_record(std::string_view push, const PushFacts& facts, std::int64_t arrival_ms);

}  // namespace tideover::loki
