// What the text of a refusal says about the data. Pure.
//
// Words of Prometheus and Thanos are counted: in units where they count ("add 3 samples: out of bounds"),
// otherwise by mention, one line for each sample. Other servers (Mimir, Cortex, M3 and what is built on them)
// name the first fault only, each in words of its own: there a word is enough, and it stands for one sample.
// To take a refusal for one that time or an operator will lift costs a repetition; to take it for final would
// cost the data. So those lists are wide, and whatever is in none of them is not understood.
#pragma once

#include <cstdint>
#include <string_view>

namespace tideover::thanos {

struct Refusals {
  std::uint64_t out_of_order = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t window = 0;     // too old, or ahead of the receiver's clock
  std::uint64_t limit = 0;      // of series, of a tenant: an operator may raise it
  std::uint64_t labels = 0;     // series with labels that are not sorted, repeated or empty
  std::uint64_t malformed = 0;  // what no receiver of this kind will ever take
  std::uint64_t exemplars = 0;  // which are no samples
  bool counted = false;

  std::uint64_t samples() const { return out_of_order + duplicate + window + limit + labels + malformed; }
  bool understood() const { return samples() + exemplars > 0; }
};

Refusals refusals_of(std::string_view text);

// Prometheus up to 2.48, and 3 for native histograms, answer 500 with these words alone to what is older than
// their window (prometheus#13334).
bool begins_with_window(std::string_view text);

}  // namespace tideover::thanos
