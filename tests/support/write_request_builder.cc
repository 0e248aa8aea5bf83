#include "tests/support/write_request_builder.h"

#include <cmath>

#include "remote_write_v1.pb.h"
#include "remote_write_v2.pb.h"

namespace tideover::test {
namespace {

template <class Proto>
void fill_histogram(const HistogramSpec& from, Proto& to) {
  const auto integer = [](double value) { return static_cast<std::uint64_t>(value); };
  if (from.is_float) {
    to.set_count_float(from.count);
    to.set_zero_count_float(from.zero_count);
    for (const double bucket : from.positive_buckets) to.add_positive_counts(bucket);
    for (const double bucket : from.negative_buckets) to.add_negative_counts(bucket);
  } else {
    to.set_count_int(integer(from.count));
    to.set_zero_count_int(integer(from.zero_count));
    for (const double bucket : from.positive_buckets) to.add_positive_deltas(std::llround(bucket));
    for (const double bucket : from.negative_buckets) to.add_negative_deltas(std::llround(bucket));
  }
  to.set_sum(from.sum);
  to.set_schema(from.schema);
  to.set_zero_threshold(from.zero_threshold);
  for (const auto& [offset, length] : from.positive_spans) {
    auto& span = *to.add_positive_spans();
    span.set_offset(offset);
    span.set_length(length);
  }
  for (const auto& [offset, length] : from.negative_spans) {
    auto& span = *to.add_negative_spans();
    span.set_offset(offset);
    span.set_length(length);
  }
  for (const double value : from.custom_values) to.add_custom_values(value);
  to.set_reset_hint(from.reset_hint);
  to.set_timestamp(from.timestamp_ms);
}

class Symbols {
 public:
  explicit Symbols(v2::Request& request) : request_(request) { ref(""); }

  std::uint32_t ref(const std::string& symbol) {
    const auto [at, fresh] = refs_.try_emplace(symbol, static_cast<std::uint32_t>(refs_.size()));
    if (fresh) request_.add_symbols(symbol);
    return at->second;
  }

 private:
  v2::Request& request_;
  std::map<std::string, std::uint32_t> refs_;
};

}  // namespace

HistogramSpec valid_histogram(std::int64_t timestamp_ms) {
  return {.timestamp_ms = timestamp_ms,
          .count = 12,
          .sum = 18.5,
          .schema = 1,
          .zero_threshold = 0.001,
          .zero_count = 2,
          .positive_spans = {{0, 2}, {1, 1}},
          .positive_buckets = {3, 1, -1}};
}

WriteRequest& WriteRequest::series(Labels labels) {
  series_.push_back(
      {.labels = std::move(labels), .samples = {}, .histograms = {}, .exemplars = {}, .metadata = {}});
  return *this;
}

WriteRequest& WriteRequest::sample(std::int64_t timestamp_ms, double value, std::int64_t start_ms) {
  series_.back().samples.push_back({timestamp_ms, value, start_ms});
  return *this;
}

WriteRequest& WriteRequest::stale(std::int64_t timestamp_ms) {
  return sample(timestamp_ms, from_bits(kStaleMarkerBits));
}

WriteRequest& WriteRequest::histogram(HistogramSpec histogram) {
  series_.back().histograms.push_back(std::move(histogram));
  return *this;
}

WriteRequest& WriteRequest::exemplar(Labels labels, double value, std::int64_t timestamp_ms) {
  series_.back().exemplars.push_back({std::move(labels), value, timestamp_ms});
  return *this;
}

WriteRequest& WriteRequest::metadata(MetadataSpec metadata) {
  entries_.push_back(metadata);
  if (!series_.empty()) series_.back().metadata.push_back(std::move(metadata));
  return *this;
}

std::string WriteRequest::encode(Version version) const {
  return version == Version::v1 ? encode_v1() : encode_v2();
}

std::string WriteRequest::encode_v1() const {
  v1::WriteRequest request;
  const auto add_labels = [](const Labels& labels, auto& to) {
    for (const auto& [name, value] : labels) {
      auto& label = *to.add_labels();
      label.set_name(name);
      label.set_value(value);
    }
  };
  for (const Series& from : series_) {
    auto& to = *request.add_timeseries();
    add_labels(from.labels, to);
    for (const Sample& sample : from.samples) {
      auto& out = *to.add_samples();
      out.set_value(sample.value);
      out.set_timestamp(sample.timestamp_ms);
    }
    for (const HistogramSpec& histogram : from.histograms) fill_histogram(histogram, *to.add_histograms());
    for (const Exemplar& exemplar : from.exemplars) {
      auto& out = *to.add_exemplars();
      add_labels(exemplar.labels, out);
      out.set_value(exemplar.value);
      out.set_timestamp(exemplar.timestamp_ms);
    }
  }
  for (const MetadataSpec& from : entries_) {
    auto& to = *request.add_metadata();
    to.set_type(from.type);
    to.set_metric_family_name(from.family);
    to.set_help(from.help);
    to.set_unit(from.unit);
  }
  return request.SerializeAsString();
}

std::string WriteRequest::encode_v2() const {
  v2::Request request;
  Symbols symbols(request);
  const auto add_labels = [&symbols](const Labels& labels, auto& to) {
    for (const auto& [name, value] : labels) {
      to.add_labels_refs(symbols.ref(name));
      to.add_labels_refs(symbols.ref(value));
    }
  };
  for (const Series& from : series_) {
    auto& to = *request.add_timeseries();
    add_labels(from.labels, to);
    for (const Sample& sample : from.samples) {
      auto& out = *to.add_samples();
      out.set_value(sample.value);
      out.set_timestamp(sample.timestamp_ms);
      out.set_start_timestamp(sample.start_ms);
    }
    for (const HistogramSpec& histogram : from.histograms) {
      auto& out = *to.add_histograms();
      fill_histogram(histogram, out);
      out.set_start_timestamp(histogram.start_ms);
    }
    for (const Exemplar& exemplar : from.exemplars) {
      auto& out = *to.add_exemplars();
      add_labels(exemplar.labels, out);
      out.set_value(exemplar.value);
      out.set_timestamp(exemplar.timestamp_ms);
    }
    auto& metadata = *to.mutable_metadata();  // Prometheus writes it always, empty or not
    for (const MetadataSpec& spec : from.metadata) {
      metadata.set_type(spec.type);
      metadata.set_help_ref(symbols.ref(spec.help));
      metadata.set_unit_ref(symbols.ref(spec.unit));
    }
  }
  return request.SerializeAsString();
}

}  // namespace tideover::test
