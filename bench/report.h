// A measurement as text: one JSON object in one line, and a few words for who waits.
#pragma once

#include <string>

#include "bench/run.h"

namespace tideover::bench {

struct Setting {  // what the measurement was of
  std::string scenario;
  std::string source;
  const Stream& stream;
  const RunOptions& options;
};

std::string to_json(const Measurement& measurement, const Setting& setting);
std::string one_line(const Measurement& measurement);

// The q-quantile by nearest rank, in milliseconds; 0 of nothing.
double quantile_ms(const std::vector<float>& sorted_s, double q);

}  // namespace tideover::bench
