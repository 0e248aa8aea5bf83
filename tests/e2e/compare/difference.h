// What the receiver holds against what the sender holds. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/e2e/compare/sample_set.h"

namespace tideover::compare {

struct Totals {
  std::uint64_t series = 0;
  std::uint64_t samples = 0;  // floats, histograms and stale markers
  std::uint64_t stale_markers = 0;
  std::uint64_t histograms = 0;
};

struct Difference {
  Totals sender;
  Totals receiver;
  std::uint64_t missing = 0;          // with the sender only
  std::uint64_t altered = 0;          // another value at the same timestamp of the same series
  std::uint64_t extra = 0;            // with the receiver only
  std::vector<std::string> examples;  // the first few of each kind
};

Difference compare(const SampleSet& sender, const SampleSet& receiver, std::size_t examples_max);

}  // namespace tideover::compare
