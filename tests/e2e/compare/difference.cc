#include "tests/e2e/compare/difference.h"

#include <fmt/format.h>

namespace tideover::compare {
namespace {

std::string show(std::uint64_t bits) { return fmt::format("{:#018x}", bits); }
std::string show(const std::string& histogram) { return histogram; }

Totals totals(const SampleSet& set) {
  Totals out;
  out.series = set.size();
  for (const auto& [labels, series] : set) {
    out.samples += series.floats.size() + series.histograms.size();
    out.histograms += series.histograms.size();
    for (const auto& point : series.floats) out.stale_markers += point.value == kStaleMarker;
  }
  return out;
}

class Comparison {
 public:
  explicit Comparison(std::size_t examples_max) : examples_max_(examples_max) {}

  // Merges two ascending rows of one series.
  template <class Value>
  void rows(const std::string& labels, const std::vector<Point<Value>>& sender,
            const std::vector<Point<Value>>& receiver) {
    auto s = sender.begin();
    auto r = receiver.begin();
    while (s != sender.end() || r != receiver.end()) {
      if (r == receiver.end() || (s != sender.end() && s->timestamp_ms < r->timestamp_ms)) {
        note("missing", result_.missing, labels, s->timestamp_ms, show(s->value));
        ++s;
      } else if (s == sender.end() || r->timestamp_ms < s->timestamp_ms) {
        note("extra", result_.extra, labels, r->timestamp_ms, show(r->value));
        ++r;
      } else {
        if (s->value != r->value) {
          note("altered", result_.altered, labels, s->timestamp_ms,
               show(s->value) + " became " + show(r->value));
        }
        ++s;
        ++r;
      }
    }
  }

  Difference& result() { return result_; }

 private:
  void note(std::string_view kind, std::uint64_t& count, const std::string& labels, std::int64_t timestamp_ms,
            const std::string& value) {
    if (count++ >= examples_max_) return;
    result_.examples.push_back(fmt::format("{}: {} at {}: {}", kind, labels, timestamp_ms, value));
  }

  std::size_t examples_max_;
  Difference result_;
};

}  // namespace

Difference compare(const SampleSet& sender, const SampleSet& receiver, std::size_t examples_max) {
  static const Series kNothing;
  Comparison comparison(examples_max);
  for (const auto& [labels, series] : sender) {
    const auto found = receiver.find(labels);
    const Series& other = found == receiver.end() ? kNothing : found->second;
    comparison.rows(labels, series.floats, other.floats);
    comparison.rows(labels, series.histograms, other.histograms);
  }
  for (const auto& [labels, series] : receiver) {
    if (sender.contains(labels)) continue;
    comparison.rows(labels, kNothing.floats, series.floats);
    comparison.rows(labels, kNothing.histograms, series.histograms);
  }
  Difference& result = comparison.result();
  result.sender = totals(sender);
  result.receiver = totals(receiver);
  return std::move(result);
}

}  // namespace tideover::compare
