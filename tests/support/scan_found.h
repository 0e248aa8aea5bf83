// What a scan found, in the words of what it must find.
#pragma once

#include "forwarders/remote_write/scan.h"
#include "tests/support/scan_oracle.h"

namespace tideover::test {

inline Expectation found_by(const Result<remote_write::Scan>& scan) {
  if (!scan) return {};
  const remote_write::Counts& counts = scan->counts;
  return {true,
          counts.series,
          counts.floats,
          counts.histograms,
          counts.exemplars,
          counts.metadata,
          scan->faulty_series,
          scan->sorted,
          scan->start_timestamps,
          scan->stale_markers,
          scan->oldest_ms,
          scan->newest_ms};
}

}  // namespace tideover::test
