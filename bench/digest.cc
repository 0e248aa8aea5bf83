#include "bench/digest.h"

namespace tideover::bench {
namespace {

// The finaliser of splitmix64.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::uint64_t fnv(std::uint64_t hash, std::string_view text) {
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return (hash ^ 0xff) * 0x100000001b3;  // 0xff is in no UTF-8 text: "ab","c" is not "a","bc"
}

}  // namespace

void SeriesHash::add(std::string_view name, std::string_view value) { hash_ = fnv(fnv(hash_, name), value); }

std::uint64_t sample_digest(std::uint64_t series_hash, std::int64_t time_ms, std::uint64_t value_bits) {
  return mix(mix(mix(series_hash) + static_cast<std::uint64_t>(time_ms)) + value_bits);
}

}  // namespace tideover::bench
