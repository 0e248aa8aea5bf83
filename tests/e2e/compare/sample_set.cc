#include "tests/e2e/compare/sample_set.h"

#include <algorithm>
#include <bit>

#include "tests/e2e/compare/canonical.h"

namespace tideover::compare {

void add(SampleSet& set, const pb::TimeSeries& message, const Selection& selection) {
  const auto selected = [&](std::int64_t t) { return selection.from_ms <= t && t <= selection.to_ms; };
  Series kept;
  for (const pb::Sample& sample : message.samples()) {
    if (!selected(sample.timestamp())) continue;
    kept.floats.push_back({sample.timestamp(), std::bit_cast<std::uint64_t>(sample.value())});
  }
  for (const pb::Histogram& histogram : message.histograms()) {
    if (!selected(histogram.timestamp())) continue;
    // A TSDB gives a stale marker the type of the sample before it, as far as its head remembers that one:
    // the same marker is a histogram at one end and, after a restart, a float at the other.
    if (std::bit_cast<std::uint64_t>(histogram.sum()) == kStaleMarker) {
      kept.floats.push_back({histogram.timestamp(), kStaleMarker});
    } else {
      kept.histograms.push_back({histogram.timestamp(), canonical(histogram)});
    }
  }
  if (kept.floats.empty() && kept.histograms.empty()) return;

  Series& series = set[canonical_labels(message, selection.ignored_labels)];
  series.floats.insert(series.floats.end(), kept.floats.begin(), kept.floats.end());
  std::move(kept.histograms.begin(), kept.histograms.end(), std::back_inserter(series.histograms));
}

void sort(SampleSet& set) {
  const auto by_time = [](const auto& a, const auto& b) { return a.timestamp_ms < b.timestamp_ms; };
  for (auto& [labels, series] : set) {
    std::stable_sort(series.floats.begin(), series.floats.end(), by_time);
    std::stable_sort(series.histograms.begin(), series.histograms.end(), by_time);
  }
}

}  // namespace tideover::compare
