// The metrics page while it is put together. Executor: any one.
#pragma once

#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "wal/base/histogram.h"

namespace tideover::admin {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using MetricLabels = std::vector<ClientMetric::Label>;

// Collects families in the order in which they are described.
class Page {
 public:
  void counter(const char* name, const char* help) { open(name, help, MetricType::Counter); }
  void gauge(const char* name, const char* help) { open(name, help, MetricType::Gauge); }

  template <class Number>
  void value(Number number, MetricLabels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter)
      metric.counter.value = static_cast<double>(number);
    else
      metric.gauge.value = static_cast<double>(number);
    families_.back().metric.push_back(std::move(metric));
  }

  template <class Number>
  void counter(const char* name, const char* help, Number number) {
    counter(name, help);
    value(number);
  }
  template <class Number>
  void gauge(const char* name, const char* help, Number number) {
    gauge(name, help);
    value(number);
  }

  void histogram(const char* name, const char* help, const Histogram& h) {
    open(name, help, MetricType::Histogram);
    ClientMetric metric;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < h.counts.size(); ++i) {
      count += h.counts[i];
      const double bound =
          i < Histogram::kBounds.size() ? Histogram::kBounds[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = h.sum;
    families_.back().metric.push_back(std::move(metric));
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return std::move(out).str();
  }

 private:
  void open(const char* name, const char* help, MetricType type) {
    families_.emplace_back();
    families_.back().name = name;
    families_.back().help = help;
    families_.back().type = type;
  }

  std::vector<MetricFamily> families_;
};

inline double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }

}  // namespace tideover::admin
