// One side of a comparison: every sample of every series, with its value as bits.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tideover::compare {

namespace pb {
class TimeSeries;
}

// Quiet NaNs are many; this one says "the series ended here" (model/value/value.go of Prometheus).
inline constexpr std::uint64_t kStaleMarker = 0x7ff0000000000002;

template <class Value>
struct Point {
  std::int64_t timestamp_ms;
  Value value;
  bool operator==(const Point&) const = default;
};

// Both rows ascend by timestamp.
struct Series {
  std::vector<Point<std::uint64_t>> floats;    // IEEE 754 bits; stale markers of either kind
  std::vector<Point<std::string>> histograms;  // canonical text, see canonical()
};

using SampleSet = std::map<std::string, Series>;  // by labels: {__name__="up", job="x"}

struct Selection {
  std::int64_t from_ms;
  std::int64_t to_ms;  // inclusive
  std::set<std::string> ignored_labels;
};

// Adds what `selection` keeps of `message`; a series may come in several messages.
void add(SampleSet& set, const pb::TimeSeries& message, const Selection& selection);

// Restores ascending order after the last add().
void sort(SampleSet& set);

}  // namespace tideover::compare
