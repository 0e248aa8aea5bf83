// Field numbers of Loki's push request (pkg/push/push.proto). Its format, a stream's hash and an entry's
// parsed pairs are the server's own: passed over when read, never written.
#pragma once

#include <cstdint>
#include <string_view>

namespace tideover::loki {

inline constexpr std::uint32_t kRequestStreams = 1;
inline constexpr std::uint32_t kRequestFormat = 2;
inline constexpr std::uint32_t kStreamLabels = 1;
inline constexpr std::uint32_t kStreamEntries = 2;
inline constexpr std::uint32_t kStreamHash = 3;
inline constexpr std::uint32_t kEntryTimestamp = 1;
inline constexpr std::uint32_t kEntryLine = 2;
inline constexpr std::uint32_t kEntryMetadata = 3;
inline constexpr std::uint32_t kEntryParsed = 4;
inline constexpr std::uint32_t kTimestampSeconds = 1;
inline constexpr std::uint32_t kTimestampNanos = 2;
inline constexpr std::uint32_t kPairName = 1;
inline constexpr std::uint32_t kPairValue = 2;

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::int64_t kNanosPerMilli = 1'000'000;

// The whole seconds or milliseconds of a time, before 1970 too.
inline constexpr std::int64_t floor_div(std::int64_t ns, std::int64_t unit) {
  return ns / unit - (ns % unit < 0 ? 1 : 0);
}

// A label or a piece of structured metadata. Borrows its text.
struct Pair {
  std::string_view name;
  std::string_view value;

  bool operator==(const Pair&) const = default;
};

}  // namespace tideover::loki
