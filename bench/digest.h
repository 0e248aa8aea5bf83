// What the generator sent and the sink received, each boiled down to one number: equal numbers mean the same
// multiset of (series, timestamp, value bits). The order of arrival does not matter to it; the sink checks
// that by itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace tideover::bench {

// Labels in the order of their names, as every sender sends them.
class SeriesHash {
 public:
  SeriesHash() = default;
  explicit SeriesHash(std::uint64_t so_far) : hash_(so_far) {}  // goes on behind labels added before
  void add(std::string_view name, std::string_view value);
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0x9e3779b97f4a7c15;
};

// Sum these up, modulo 2^64.
std::uint64_t sample_digest(std::uint64_t series_hash, std::int64_t time_ms, std::uint64_t value_bits);

}  // namespace tideover::bench
