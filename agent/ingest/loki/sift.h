// A push request becomes what is stored of it: labels in their one form, good entries kept in their order,
// bad ones named.
//
// As Loki does it: labels that cannot be parsed refuse the whole push; limits refuse a stream or an entry,
// and the rest is kept. The result is push requests again, cut into records that a destination can send.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/ingest/loki/faults.h"
#include "agent/ingest/loki/limits.h"
#include "wal/base/result.h"

namespace tideover::ingest::loki {

// Of a request once decoded: its JSON, its protobuf message, and what is kept of it.
inline constexpr std::uint64_t kDecodedBytesMax = 32 << 20;
// A record goes to Loki in one request, whose burst (6 MB) it must not come near. One entry more than fits is
// taken, so that it ends up to a line beyond this.
inline constexpr std::uint64_t kRecordBytesMax = 2 << 20;

struct Kept {
  std::string message;  // a push request
  std::uint32_t entries = 0;
  std::int64_t oldest_ns = 0;
  std::int64_t newest_ns = 0;
};

struct Sifted {
  std::vector<Kept> kept;  // in order; together the good entries
  Faults faults;
  std::uint64_t streams = 0;  // in the request

  std::uint64_t entries() const;  // kept
};

// `raw` is the message after decompression.
// Errors: bad_input, in the words of the 400 answer; too_large when labels in their one form are too long.
// Nothing may be stored then.
Result<Sifted> sift(std::string_view raw, std::int64_t now_ms, const Limits& limits,
                    std::uint64_t record_bytes_max = kRecordBytesMax);

}  // namespace tideover::ingest::loki
