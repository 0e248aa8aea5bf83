#include "tests/e2e/compare/canonical.h"

#include <bit>
#include <fmt/format.h>
#include <iterator>
#include <map>

namespace tideover::compare {
namespace {

constexpr int kGaugeHint = 3;

std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// Integer buckets come as deltas to their predecessor, float buckets as counts.
template <class Spans, class Deltas, class Counts>
void append_buckets(std::string& out, const Spans& spans, const Deltas& deltas, const Counts& counts) {
  std::int64_t index = 0;
  std::int64_t count = 0;
  int bucket = 0;
  for (const auto& span : spans) {
    index += span.offset();
    for (std::uint32_t i = 0; i < span.length(); ++i, ++index, ++bucket) {
      if (bucket < deltas.size()) {
        count += deltas.Get(bucket);
        if (count != 0) fmt::format_to(std::back_inserter(out), " {}:{}", index, count);
      } else if (bucket < counts.size()) {
        if (counts.Get(bucket) != 0)
          fmt::format_to(std::back_inserter(out), " {}:{:x}", index, bits(counts.Get(bucket)));
      }
    }
  }
}

}  // namespace

std::string canonical_labels(const pb::TimeSeries& message, const std::set<std::string>& ignored) {
  std::map<std::string, std::string> sorted;
  for (const pb::Label& label : message.labels()) {
    if (!ignored.contains(label.name())) sorted[label.name()] = label.value();
  }
  std::string out = "{";
  for (const auto& [name, value] : sorted) {
    fmt::format_to(std::back_inserter(out), "{}{}=\"{}\"", out.size() == 1 ? "" : ", ", name, escaped(value));
  }
  return out + "}";
}

std::string canonical(const pb::Histogram& histogram) {
  const bool integer = histogram.count_case() == pb::Histogram::kCountInt;
  std::string out =
      fmt::format("{} {} schema {} count {:x} sum {:x} zero {:x} below {:x}", integer ? "integer" : "float",
                  histogram.reset_hint() == kGaugeHint ? "gauge" : "counter", histogram.schema(),
                  integer ? histogram.count_int() : bits(histogram.count_float()), bits(histogram.sum()),
                  integer ? histogram.zero_count_int() : bits(histogram.zero_count_float()),
                  bits(histogram.zero_threshold()));
  out += " negative";
  append_buckets(out, histogram.negative_spans(), histogram.negative_deltas(), histogram.negative_counts());
  out += " positive";
  append_buckets(out, histogram.positive_spans(), histogram.positive_deltas(), histogram.positive_counts());
  for (const double bound : histogram.custom_values()) {
    fmt::format_to(std::back_inserter(out), " bound {:x}", bits(bound));
  }
  return out;
}

}  // namespace tideover::compare
