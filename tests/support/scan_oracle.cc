#include "tests/support/scan_oracle.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "forwarders/remote_write/limits.h"
#include "forwarders/remote_write/wire.h"
#include "remote_write_v1.pb.h"
#include "remote_write_v2.pb.h"

namespace tideover::test {
namespace {

using remote_write::Version;
using Labels = std::vector<std::pair<std::string, std::string>>;

// By decoding: the shortest form of a scalar value, or nothing.
bool utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&text](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
    };
    std::size_t size = 1;
    std::uint32_t code = byte(i);
    if (code >= 0x80) {
      size = code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;
      if (code < 0xc0 || code >= 0xf8 || i + size > text.size()) return false;
      code &= 0x7fu >> size;
      for (std::size_t k = 1; k < size; ++k) {
        if ((byte(i + k) & 0xc0) != 0x80) return false;
        code = code << 6 | (byte(i + k) & 0x3f);
      }
      const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
      if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    }
    i += size;
  }
  return true;
}

bool utf8(const Labels& labels) {
  return labels.size() <= remote_write::kSeriesLabelsMax &&
         std::all_of(labels.begin(), labels.end(),
                     [](const auto& label) { return utf8(label.first) && utf8(label.second); });
}

bool good_labels(const Labels& labels) {
  std::set<std::string> names;
  if (labels.size() > remote_write::kSeriesLabelsMax) return false;
  for (const auto& [name, value] : labels)
    if (name.empty() || value.empty() || !names.insert(name).second) return false;
  return utf8(labels) && names.contains("__name__");
}

bool in_order(const Labels& labels) {
  return std::is_sorted(labels.begin(), labels.end(),
                        [](const auto& a, const auto& b) { return a.first < b.first; });
}

// Groups in groups; the scan refuses what the generated parser takes up to its own limit of 100.
int group_depth(const google::protobuf::UnknownFieldSet& unknown) {
  int depth = 0;
  for (int i = 0; i < unknown.field_count(); ++i)
    if (unknown.field(i).type() == google::protobuf::UnknownField::TYPE_GROUP)
      depth = std::max(depth, 1 + group_depth(unknown.field(i).group()));
  return depth;
}

// Generated code keeps a known field of another wire type as an unknown one; Prometheus' parser refuses it.
bool unreadable(const google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  const auto* descriptor = message.GetDescriptor();
  const auto& unknown = reflection->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i)
    if (descriptor->FindFieldByNumber(unknown.field(i).number()) != nullptr) return true;
  if (group_depth(unknown) > remote_write::wire::kGroupDepthMax) return true;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (unreadable(reflection->GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      if (unreadable(reflection->GetRepeatedMessage(message, field, i))) return true;
  }
  return false;
}

template <class Spans>
std::int64_t spanned(const Spans& spans) {
  std::int64_t buckets = 0;
  for (const auto& span : spans) buckets += span.length();
  return buckets;
}

template <class Spans>
bool negative_offset(const Spans& spans, int from) {
  for (int i = from; i < spans.size(); ++i)
    if (spans[i].offset() < 0) return true;
  return false;
}

// Sum of the buckets, modulo 2^64; nothing when one is negative.
template <class Deltas>
std::optional<std::uint64_t> bucket_sum(const Deltas& deltas) {
  std::uint64_t sum = 0;
  std::uint64_t bucket = 0;
  for (const std::int64_t delta : deltas) {
    bucket += static_cast<std::uint64_t>(delta);
    if (bucket >> 63 != 0) return {};
    sum += bucket;
  }
  return sum;
}

template <class Counts>
bool negative_count(const Counts& counts) {
  return std::any_of(counts.begin(), counts.end(), [](double count) { return count < 0; });
}

template <class Histogram>
bool good_custom(const Histogram& h, bool is_float) {
  double reach = 0;
  for (const auto& span : h.positive_spans()) reach += static_cast<double>(span.offset()) + span.length();
  const auto& bounds = h.custom_values();
  for (int i = 0; i < bounds.size(); ++i)
    if (std::isnan(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) return false;
  if (!bounds.empty() && bounds[bounds.size() - 1] == std::numeric_limits<double>::infinity()) return false;
  if (negative_offset(h.positive_spans(), 0) || bounds.size() + 1 < reach) return false;
  if ((is_float ? h.zero_count_float() != 0 : h.zero_count_int() != 0) || h.zero_threshold() != 0)
    return false;
  return h.negative_spans().empty() && (is_float ? h.negative_counts().empty() : h.negative_deltas().empty());
}

template <class Histogram>
bool good_histogram(const Histogram& h) {
  const bool is_float = h.count_case() == Histogram::kCountFloat;
  const bool custom = h.schema() == -53;
  const int positive = is_float ? h.positive_counts_size() : h.positive_deltas_size();
  const int negative = is_float ? h.negative_counts_size() : h.negative_deltas_size();
  if (!custom && (h.schema() < -4 || h.schema() > 52)) return false;
  if (spanned(h.positive_spans()) != positive) return false;
  if (custom && !good_custom(h, is_float)) return false;
  if (!custom) {
    if (spanned(h.negative_spans()) != negative || !h.custom_values().empty()) return false;
    if (negative_offset(h.positive_spans(), 1) || negative_offset(h.negative_spans(), 1)) return false;
  }
  if (is_float)
    return !(h.count_float() < 0) && !negative_count(h.positive_counts()) &&
           (custom || (!negative_count(h.negative_counts()) && !(h.zero_count_float() < 0)));
  const auto above = bucket_sum(h.positive_deltas());
  const auto below = custom ? std::uint64_t{0} : bucket_sum(h.negative_deltas());
  if (!above || !below) return false;
  const std::uint64_t sum = *above + *below + h.zero_count_int();
  return std::isnan(h.sum()) ? sum <= h.count_int() : sum == h.count_int();
}

// What the references of a request stand for, each as often as it is there.
class Referred {
 public:
  explicit Referred(const v2::Request& request) : request_(request) {
    for (const auto& series : request.timeseries()) {
      add_all(series.labels_refs());
      for (const auto& exemplar : series.exemplars()) add_all(exemplar.labels_refs());
      add(series.metadata().help_ref());
      add(series.metadata().unit_ref());
    }
  }
  bool fits() const { return bytes_ <= remote_write::kReferredBytesMax; }

 private:
  void add(std::uint32_t ref) {
    if (ref < static_cast<std::uint32_t>(request_.symbols_size()))
      bytes_ += request_.symbols(static_cast<int>(ref)).size();
  }
  void add_all(const google::protobuf::RepeatedField<std::uint32_t>& refs) {
    for (const std::uint32_t ref : refs) add(ref);
  }

  const v2::Request& request_;
  std::size_t bytes_ = 0;
};

// Adds a valid series to the expectation.
class Account {
 public:
  Account(Expectation& expected, std::vector<std::string>* parts) : expected_(expected), parts_(parts) {}

  template <class Series>
  void add(const Series& series, const Labels& labels) {
    ++expected_.series;
    expected_.sorted = expected_.sorted && in_order(labels);
    for (const auto& sample : series.samples()) {
      point(sample);
      ++expected_.floats;
      expected_.stale_markers =
          expected_.stale_markers || std::bit_cast<std::uint64_t>(sample.value()) == 0x7ff0000000000002;
    }
    for (const auto& histogram : series.histograms()) point(histogram), ++expected_.histograms;
    expected_.exemplars += static_cast<std::uint32_t>(series.exemplars_size());
    keep(series);
  }

  void keep(const google::protobuf::Message& part) {
    if (parts_ != nullptr) parts_->push_back(part.SerializeAsString());
  }

 private:
  template <class P>
  void point(const P& at) {
    const bool first = expected_.floats + expected_.histograms == 0;
    expected_.oldest_ms = first ? at.timestamp() : std::min(expected_.oldest_ms, at.timestamp());
    expected_.newest_ms = first ? at.timestamp() : std::max(expected_.newest_ms, at.timestamp());
    if constexpr (requires { at.start_timestamp(); })
      expected_.start_timestamps = expected_.start_timestamps || at.start_timestamp() != 0;
  }

  Expectation& expected_;
  std::vector<std::string>* parts_;
};

template <class Histograms>
bool all_good(const Histograms& histograms) {
  return std::all_of(histograms.begin(), histograms.end(), [](const auto& h) { return good_histogram(h); });
}

Labels labels_v1(const google::protobuf::RepeatedPtrField<v1::Label>& from) {
  Labels labels;
  for (const auto& label : from) labels.emplace_back(label.name(), label.value());
  return labels;
}

Expectation expected_v1(std::string_view raw, std::vector<std::string>* parts) {
  v1::WriteRequest request;
  Expectation expected;
  if (!request.ParseFromArray(raw.data(), static_cast<int>(raw.size())) || unreadable(request))
    return expected;
  expected.decodes = true;
  Account account(expected, parts);
  for (const auto& series : request.timeseries()) {
    const Labels labels = labels_v1(series.labels());
    bool good = good_labels(labels) && all_good(series.histograms());
    for (const auto& exemplar : series.exemplars()) good = good && utf8(labels_v1(exemplar.labels()));
    if (good) account.add(series, labels);
    if (!good) ++expected.faulty;
  }
  for (const auto& entry : request.metadata()) {
    const bool good = utf8(entry.metric_family_name()) && utf8(entry.help()) && utf8(entry.unit());
    if (good) account.keep(entry);
    ++(good ? expected.metadata : expected.faulty);
  }
  return expected;
}

std::optional<Labels> labels_v2(const google::protobuf::RepeatedField<std::uint32_t>& refs,
                                const v2::Request& request) {
  Labels labels;
  if (refs.size() % 2 != 0) return {};
  for (int i = 0; i < refs.size(); i += 2) {
    if (std::max(refs[i], refs[i + 1]) >= static_cast<std::uint32_t>(request.symbols_size())) return {};
    labels.emplace_back(request.symbols(static_cast<int>(refs[i])),
                        request.symbols(static_cast<int>(refs[i + 1])));
  }
  return labels;
}

Expectation expected_v2(std::string_view raw, std::vector<std::string>* parts) {
  v2::Request request;
  Expectation expected;
  if (!request.ParseFromArray(raw.data(), static_cast<int>(raw.size())) || unreadable(request))
    return expected;
  if (request.symbols_size() > 0 && !request.symbols(0).empty()) return expected;
  if (!Referred(request).fits()) return expected;
  expected.decodes = true;
  Account account(expected, parts);
  const auto symbol_good = [&request](std::uint32_t ref) {
    return ref < static_cast<std::uint32_t>(request.symbols_size()) &&
           utf8(request.symbols(static_cast<int>(ref)));
  };
  for (const auto& series : request.timeseries()) {
    const auto& metadata = series.metadata();
    const auto labels = labels_v2(series.labels_refs(), request);
    bool good = labels && good_labels(*labels) && all_good(series.histograms());
    good = good && (series.samples_size() == 0) != (series.histograms_size() == 0);
    good = good && symbol_good(metadata.help_ref()) && symbol_good(metadata.unit_ref());
    for (const auto& exemplar : series.exemplars()) {
      const auto exemplar_labels = labels_v2(exemplar.labels_refs(), request);
      good = good && exemplar_labels && utf8(*exemplar_labels);
    }
    if (!good) {
      ++expected.faulty;
      continue;
    }
    account.add(series, *labels);
    const auto empty = [&request](std::uint32_t ref) {
      return ref == 0 || request.symbols(static_cast<int>(ref)).empty();
    };
    if (metadata.type() != 0 || !empty(metadata.help_ref()) || !empty(metadata.unit_ref()))
      ++expected.metadata;
  }
  return expected;
}

}  // namespace

Expectation expected_of(std::string_view raw, Version version) {
  return version == Version::v1 ? expected_v1(raw, nullptr) : expected_v2(raw, nullptr);
}

std::vector<std::string> valid_parts_of(std::string_view raw, Version version) {
  std::vector<std::string> parts;
  version == Version::v1 ? expected_v1(raw, &parts) : expected_v2(raw, &parts);
  return parts;
}

}  // namespace tideover::test
