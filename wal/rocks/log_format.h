// The layout of RocksDB's log files, for reading them where RocksDB gives up. Internal to wal/rocks/log_*.cc.
//
// Blocks of 32 KiB; in them fragments of (masked CRC32C of type and data, u16 length, u8 type) and data. A
// record is one full fragment, or a first, any number of middle ones, and a last. No fragment crosses a
// block, so each block can be read by itself.
#pragma once

#include <cstdint>
#include <string_view>

#include "wal/rocks/crc32c.h"

namespace tideover::wal {

inline constexpr std::size_t kLogBlock = 32 << 10;
inline constexpr std::size_t kLogHeader = 7;
enum LogFragment : char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

inline std::uint32_t masked_log_crc(char type, std::string_view data) {
  const std::uint32_t sum = extend_crc32c(extend_crc32c(0, &type, 1), data.data(), data.size());
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

}  // namespace tideover::wal
