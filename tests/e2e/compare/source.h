// Where a side's samples come from: a server's remote-read API, or a file that tsdbdump wrote.
#pragma once

#include <string>

#include "tests/e2e/compare/sample_set.h"
#include "wal/base/result.h"

namespace tideover::compare {

// Blocking. `source` is http://HOST:PORT (POST /api/v1/read, response type SAMPLES: floats bit for bit, stale
// markers included) or the path of a dump: a row of prometheus.TimeSeries, each behind its length as a
// varint.
Result<SampleSet> read_source(const std::string& source, const Selection& selection);

}  // namespace tideover::compare
