// What the model of Loki did not store, by the reason that Loki's metric loki_discarded_samples_total has for
// it, and whether the answer said so.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tideover::test {

// How many entries.
struct LokiDiscards {
  std::map<std::string, std::uint64_t> answered;  // counted again when they are sent again
  std::map<std::string, std::uint64_t> silent;    // the answer speaks of something else, or of nothing
  std::uint64_t duplicates = 0;                   // known already: dropped, and no loss

  std::uint64_t all_silent() const {
    std::uint64_t n = 0;
    for (const auto& [reason, entries] : silent) n += entries;
    return n;
  }
};

}  // namespace tideover::test
