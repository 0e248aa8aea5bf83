// Push requests by chance, and bytes that were one once.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/push_oracle.h"
#include "wal/base/rng.h"

namespace tideover::test {

inline PushedStreams random_push(Rng& rng) {
  static const std::vector<std::string> texts{
      "", "a", "{app=\"x\"}", "größe 日本", "\xff\x00z", std::string(130, 'v'), std::string(20'000, 'l')};
  const auto text = [&rng] { return texts[rng.below(texts.size() - (rng.chance(0.98) ? 1 : 0))]; };
  PushedStreams streams;
  for (std::uint64_t count = rng.below(4); count > 0; --count) {
    PushedStream& stream = streams.emplace_back();
    stream.labels = text();
    for (std::uint64_t entries = 1 + rng.below(4); entries > 0; --entries) {
      PushedEntry& entry = stream.entries.emplace_back();
      entry.ns = static_cast<std::int64_t>(rng.next() >> rng.below(64));
      if (rng.chance(0.2)) entry.ns = entry.ns / 1'000'000'000 * 1'000'000'000;
      if (rng.chance(0.1)) entry.ns = -static_cast<std::int64_t>(rng.below(3));
      entry.line = text();
      for (std::uint64_t pairs = rng.below(3); pairs > 0; --pairs)
        entry.metadata.emplace_back(text(), text());
    }
  }
  return streams;
}

inline void alter(Rng& rng, std::string& raw) {
  for (std::uint64_t times = 1 + rng.below(3); times > 0 && !raw.empty(); --times) {
    const std::size_t at = rng.below(raw.size());
    const std::size_t size = 1 + rng.below(std::min<std::size_t>(raw.size() - at, 20));
    switch (rng.below(6)) {
      case 0: raw[at] = static_cast<char>(rng.next()); break;
      case 1: raw[at] = static_cast<char>(raw[at] ^ (1 << rng.below(8))); break;
      case 2: raw.resize(at); break;
      case 3: raw.erase(at, size); break;
      case 4: raw.insert(at, raw.substr(at, size)); break;
      case 5: raw.insert(at, 1, static_cast<char>(rng.next())); break;
    }
  }
}

}  // namespace tideover::test
