// The layout of RocksDB's log files, for reading them where RocksDB gives up. Internal to wal/rocks/log_*.cc.
//
// Blocks of 32 KiB; in them fragments of (masked CRC32C of type and data, u16 length, u8 type) and data. A
// record is one full fragment, or a first, any number of middle ones, and a last. No fragment crosses a
// block, so each block can be read by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wal/base/little_endian.h"
#include "wal/rocks/crc32c.h"

namespace tideover::wal {

inline constexpr std::size_t kLogBlock = 32 << 10;
inline constexpr std::size_t kLogHeader = 7;
enum LogFragment : char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

inline std::uint32_t masked_log_crc(char type, std::string_view data) {
  const std::uint32_t sum = extend_crc32c(extend_crc32c(0, &type, 1), data.data(), data.size());
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

// Where the next fragment begins, at `at` or behind it: a rest of a block that has no room for a header stays
// empty.
inline std::uint64_t fragment_begin(std::uint64_t at) {
  return kLogBlock - at % kLogBlock < kLogHeader ? (at / kLogBlock + 1) * kLogBlock : at;
}

// As its header says. Whether it is one, only checks() tells.
struct FramedFragment {
  std::uint32_t crc;
  char type;
  std::string_view data;

  std::size_t size() const { return kLogHeader + data.size(); }
  bool checks() const { return type >= kFull && type <= kLast && crc == masked_log_crc(type, data); }
};

// The one that stands at `at` of a log, or of one block of it. Nothing when it is not there to its end, or
// would cross a block.
inline std::optional<FramedFragment> fragment_at(std::string_view log, std::size_t at) {
  if (at >= log.size()) return std::nullopt;
  const std::string_view here = log.substr(at, kLogBlock - at % kLogBlock);
  if (here.size() < kLogHeader) return std::nullopt;
  const auto size = load_le<std::uint16_t>(here.data() + 4);
  if (here.size() - kLogHeader < size) return std::nullopt;
  return FramedFragment{load_le<std::uint32_t>(here.data()), here[6], here.substr(kLogHeader, size)};
}

}  // namespace tideover::wal
