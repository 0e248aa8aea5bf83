// The rules of Prometheus' model/histogram (Histogram.Validate, FloatHistogram.Validate, generic.go).
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <span>

#include "forwarders/remote_write/histogram.h"
#include "forwarders/remote_write/limits.h"

namespace tideover::remote_write {
namespace {

using Fault = std::optional<std::string>;

constexpr std::int32_t kSchemaMin = -4;
// Prometheus stores resolutions up to 8 and reduces finer ones, up to 52, on arrival.
constexpr std::int32_t kSchemaMax = 52;
constexpr std::int32_t kCustomBuckets = -53;

Fault size_fault(const Histogram& histogram) {
  const auto too_long = [](const auto& list) { return list.size() > kHistogramListMax; };
  for (const HistogramSide& side : {std::cref(histogram.positive), std::cref(histogram.negative)})
    if (too_long(side.spans) || too_long(side.deltas) || too_long(side.counts))
      return fmt::format("it has more than {} buckets or spans", kHistogramListMax);
  if (too_long(histogram.custom_values))
    return fmt::format("it has more than {} custom bounds", kHistogramListMax);
  return {};
}

Fault spans_fault(std::span<const BucketSpan> spans, std::size_t buckets) {
  std::uint64_t spanned = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (i > 0 && spans[i].offset < 0)
      return fmt::format("span {} has the negative offset {}", i + 1, spans[i].offset);
    spanned += spans[i].length;
  }
  if (spanned != buckets) return fmt::format("the spans need {} buckets, there are {}", spanned, buckets);
  return {};
}

// Sums wrap as they do in Prometheus: a wrapped sum does not match the count either.
Fault buckets_fault(std::span<const std::int64_t> deltas, std::uint64_t& sum) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    count += static_cast<std::uint64_t>(deltas[i]);
    if (static_cast<std::int64_t>(count) < 0)
      return fmt::format("bucket {} has the negative count {}", i + 1, static_cast<std::int64_t>(count));
    sum += count;
  }
  return {};
}

Fault buckets_fault(std::span<const double> counts) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] < 0) return fmt::format("bucket {} has the negative count {}", i + 1, counts[i]);
  return {};
}

Fault bounds_fault(std::span<const double> bounds) {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (std::isnan(bounds[i])) return "a custom bound is NaN";
    if (i > 0 && bounds[i] <= bounds[i - 1])
      return fmt::format("custom bound {} is not above the one before", i + 1);
  }
  if (!bounds.empty() && bounds.back() == std::numeric_limits<double>::infinity())
    return "the custom bounds name +Inf, which is implied";
  return {};
}

Fault custom_fault(const Histogram& histogram, std::size_t buckets) {
  if (Fault fault = bounds_fault(histogram.custom_values)) return fault;
  std::int64_t reach = 0;
  for (const BucketSpan& span : histogram.positive.spans) {
    if (span.offset < 0) return fmt::format("a span has the negative offset {}", span.offset);
    reach += std::int64_t{span.offset} + span.length;
  }
  if (Fault fault = spans_fault(histogram.positive.spans, buckets)) return fault;
  if (static_cast<std::int64_t>(histogram.custom_values.size()) + 1 < reach)
    return fmt::format("{} custom bounds are too few for spans that reach {}", histogram.custom_values.size(),
                       reach);
  if (histogram.is_float ? histogram.zero_count_float != 0 : histogram.zero_count_int != 0)
    return "custom buckets leave no room for a zero bucket";
  if (histogram.zero_threshold != 0) return "custom buckets leave no room for a zero threshold";
  const HistogramSide& negative = histogram.negative;
  if (!negative.spans.empty()) return "custom buckets leave no room for negative spans";
  if (histogram.is_float ? !negative.counts.empty() : !negative.deltas.empty())
    return "custom buckets leave no room for negative buckets";
  return {};
}

Fault layout_fault(const Histogram& histogram) {
  const auto buckets = [&histogram](const HistogramSide& side) {
    return histogram.is_float ? side.counts.size() : side.deltas.size();
  };
  if (histogram.schema == kCustomBuckets) return custom_fault(histogram, buckets(histogram.positive));
  if (histogram.schema < kSchemaMin || histogram.schema > kSchemaMax)
    return fmt::format("there is no schema {}", histogram.schema);
  if (Fault fault = spans_fault(histogram.positive.spans, buckets(histogram.positive))) return fault;
  if (Fault fault = spans_fault(histogram.negative.spans, buckets(histogram.negative))) return fault;
  if (!histogram.custom_values.empty()) return "an exponential schema has no custom bounds";
  return {};
}

Fault counts_fault_float(const Histogram& histogram) {
  const bool exponential = histogram.schema != kCustomBuckets;
  if (exponential && histogram.zero_count_float < 0) return "the zero bucket has a negative count";
  if (histogram.count_float < 0) return "the count is negative";
  if (exponential)
    if (Fault fault = buckets_fault(histogram.negative.counts)) return fault;
  return buckets_fault(histogram.positive.counts);
}

Fault counts_fault_int(const Histogram& histogram) {
  std::uint64_t in_buckets = histogram.zero_count_int;
  if (histogram.schema != kCustomBuckets)
    if (Fault fault = buckets_fault(histogram.negative.deltas, in_buckets)) return fault;
  if (Fault fault = buckets_fault(histogram.positive.deltas, in_buckets)) return fault;
  // Observations of NaN are counted, but lie in no bucket.
  const bool fits =
      std::isnan(histogram.sum) ? in_buckets <= histogram.count_int : in_buckets == histogram.count_int;
  if (!fits) return fmt::format("the count is {}, the buckets hold {}", histogram.count_int, in_buckets);
  return {};
}

}  // namespace

std::optional<std::string> fault_of(const Histogram& histogram) {
  if (Fault fault = size_fault(histogram)) return fault;
  if (Fault fault = layout_fault(histogram)) return fault;
  return histogram.is_float ? counts_fault_float(histogram) : counts_fault_int(histogram);
}

}  // namespace tideover::remote_write
