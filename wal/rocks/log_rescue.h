// What can still be had of a damaged stretch of a log: each of our records has a checksum of its own.
// Internal to wal/rocks/log_*.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wal/rocks/write_batch_format.h"

namespace tideover::wal {

// A stretch without the headers of its fragments. It begins with a fragment; all later blocks do.
std::string unframed(std::string_view log, std::size_t begin, std::size_t end);

struct LogRescue {
  std::vector<BatchOperation> records;  // intact, in their order; parts of the stretch that was searched
  std::uint64_t lost = 0;  // records that are not, as far as their envelopes or unreadable bytes show them
};

// `stretch`: unframed, and kept alive while the result is used.
LogRescue rescue_records(std::string_view stretch);

}  // namespace tideover::wal
