// Bodies that were compressed for the way: gzip (several members in a row count as one), deflate with zlib's
// frame (RFC 9110) or without (what Go's clients and Loki mean by it).
//
// A stream with bounded memory: a piece of 64 KiB at a time, and no more than `bytes_max` in all, so that a
// small body cannot ask for much.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::ingest::loki {

enum class Packing : std::uint8_t { none, gzip, deflate };

// Hands over what `body` inflates to, in order; `none`: the body itself.
// Errors: bad_input, too_large, and whatever `take` says, which ends it.
Result<> inflate(std::string_view body, Packing packing, std::uint64_t bytes_max,
                 const std::function<Result<>(std::string_view piece)>& take);

}  // namespace tideover::ingest::loki
