// The layout of RocksDB's write batches, as far as ours need it: where one ends. Internal to wal/log_*.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tideover::wal {

// How many of `bytes` the write batch at their front takes. Nothing when it is not there to its end, or is
// not a batch of puts and deletes.
std::optional<std::size_t> batch_extent(std::string_view bytes);

}  // namespace tideover::wal
