// GET /metrics: the snapshot in Prometheus' text format. docs/METRICS.md describes every name; tests/tidy
// compares. Label sets are closed, and every series exists from the start, so that rates work from the first
// scrape.
#pragma once

#include <string>

#include "agent/admin/process_figures.h"
#include "agent/admin/snapshot.h"

namespace tideover::admin {

std::string metrics_page(const Snapshot& snapshot, const ProcessFigures& process);

}  // namespace tideover::admin
