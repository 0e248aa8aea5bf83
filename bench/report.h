// Measurements as text: one JSON object per run on standard output, and a table over all runs at the end.
#pragma once

#include <string>
#include <vector>

#include "bench/run.h"

namespace tideover::bench {

std::string to_json(const Measurement& measurement, const Stream& stream, const std::string& source);

// Minimum, median and maximum per subject, and each median over that of Prometheus Agent. Valid runs only.
std::string summary(const std::vector<Measurement>& measurements);

}  // namespace tideover::bench
