// Snappy block format with the declared length checked before anything is allocated (Prometheus #17683,
// #18642).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::remote_write {

// Declared size of the decoded message. Errors: bad_input.
Result<std::size_t> declared_size(std::string_view compressed);

// Decodes into `out`, whose capacity is reused. Errors: bad_input; too_large when more than `max_bytes` is
// declared.
Result<> decompress(std::string_view compressed, std::size_t max_bytes, std::string& out);

void compress(std::string_view raw, std::string& out);

}  // namespace tideover::remote_write
