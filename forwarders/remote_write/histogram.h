// Native histograms: read from the wire (the same fields in both versions) and held to the rules of
// Prometheus' own storage (model/histogram, Validate), so that no receiver finds fault with what was accepted
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/remote_write.h"

namespace tideover::remote_write {

struct BucketSpan {
  std::int32_t offset = 0;
  std::uint32_t length = 0;
};

struct HistogramSide {
  std::vector<BucketSpan> spans;
  std::vector<std::int64_t> deltas;  // of an integer histogram
  std::vector<double> counts;        // of a float histogram
};

struct Histogram {
  bool is_float = false;
  std::uint64_t count_int = 0;
  double count_float = 0;
  double sum = 0;
  std::int32_t schema = 0;
  double zero_threshold = 0;
  std::uint64_t zero_count_int = 0;  // of a oneof: at most one of the two is not zero
  double zero_count_float = 0;
  HistogramSide positive;
  HistogramSide negative;
  std::vector<double> custom_values;
  std::int64_t timestamp_ms = 0;
  std::int64_t start_ms = 0;  // only 2.0 has it

  void clear();  // keeps the capacity of the lists
};

// False when the bytes are no histogram message of `version`.
bool read_histogram(std::string_view bytes, Version version, Histogram& out);

// What is wrong with it, as it stands in the answer.
std::optional<std::string> fault_of(const Histogram& histogram);

}  // namespace tideover::remote_write
