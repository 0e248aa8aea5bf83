#include <array>

#include "forwarders/remote_write/fields_v1.h"
#include "forwarders/remote_write/message_writers.h"
#include "forwarders/remote_write/sample.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

void put_label(std::string& out, std::uint32_t field, const Label& label) {
  const auto string_size = [](std::string_view text) {
    return 1 + wire::varint_size(text.size()) + text.size();
  };
  wire::put_varint(out, wire::tag_of(field, wire::kBytes));
  wire::put_varint(out, string_size(label.name) + string_size(label.value));
  wire::put_bytes(out, v1::kName, label.name);
  wire::put_bytes(out, v1::kValue, label.value);
}

// Appends the message without one of its fields; everything else keeps its bytes.
void append_without(std::string& out, std::string_view message, std::uint32_t field) {
  wire::Reader reader(message);
  while (!reader.done()) {
    const char* const begin = reader.at();
    std::uint32_t tag = 0;
    invariant(reader.tag(tag) && reader.skip(tag), "a message that was decoded reads the same again");
    if (wire::field_of(tag) != field) out.append(begin, reader.at());
  }
}

// 1.0 hangs metadata on the family, 2.0 on each series: what a series' name adds to the family's goes off
// again.
std::string_view family_of(std::string_view name, std::uint32_t type) {
  enum : std::uint32_t { kHistogram = 3, kGaugeHistogram = 4, kSummary = 5 };
  static constexpr std::array<std::string_view, 5> kOfHistograms{"_bucket", "_count", "_sum", "_gcount",
                                                                 "_gsum"};
  static constexpr std::array<std::string_view, 2> kOfSummaries{"_count", "_sum"};
  std::span<const std::string_view> suffixes;
  if (type == kHistogram || type == kGaugeHistogram) suffixes = kOfHistograms;
  if (type == kSummary) suffixes = kOfSummaries;
  for (const std::string_view suffix : suffixes)
    if (name.size() > suffix.size() && name.ends_with(suffix))
      return name.substr(0, name.size() - suffix.size());
  return name;
}

}  // namespace

void WriterV1::add_series(const SeriesParts& parts, std::span<const Point> points) {
  body_.clear();
  for (const Label& label : parts.labels) put_label(body_, v1::kSeriesLabels, label);
  std::string stripped;
  for (const Point& point : points) {
    const bool sample = point.kind == ItemKind::sample;
    std::string_view bytes = point.bytes;
    if (point.has_start) {
      stripped.clear();
      append_without(stripped, bytes, sample ? std::uint32_t{kSampleStart} : v2::kHistogramStart);
      bytes = stripped;
    }
    wire::put_bytes(body_, sample ? v1::kSeriesSamples : v1::kSeriesHistograms, bytes);
  }
  for (const std::string_view exemplar : parts.exemplars) add_exemplar(parts, exemplar);
  wire::put_bytes(out_, v1::kRequestTimeseries, body_);
  ++counts_.series;
  if (parts.metadata.says_anything()) add_metadata_of(parts);
}

void WriterV1::add_metadata_entry(std::string_view bytes) {
  wire::put_bytes(out_, v1::kRequestMetadata, bytes);
  ++counts_.metadata;
}

void WriterV1::add_exemplar(const SeriesParts& parts, std::string_view bytes) {
  ++counts_.exemplars;
  if (parts.symbols == nullptr) return wire::put_bytes(body_, v1::kSeriesExemplars, bytes);

  v2::Refs refs;
  LabelList labels;
  invariant(v2::read_exemplar(bytes, refs) && parts.symbols->labels(refs, labels),
            "an exemplar that was decoded reads the same again");
  std::string exemplar;
  for (const Label& label : labels.view()) put_label(exemplar, v1::kExemplarLabels, label);
  append_without(exemplar, bytes,
                 v2::kExemplarLabelsRefs);  // value and timestamp have the same numbers in both
  wire::put_bytes(body_, v1::kSeriesExemplars, exemplar);
}

void WriterV1::add_metadata_of(const SeriesParts& parts) {
  const v2::Metadata& metadata = parts.metadata;
  std::string_view name;
  for (const Label& label : parts.labels)
    if (label.name == "__name__") name = label.value;
  const std::string_view family = family_of(name, metadata.type);
  if (!families_.insert(family).second) return;

  std::string entry;
  if (metadata.type != 0) wire::put_number(entry, v1::kType, metadata.type);  // the same numbers in both
  wire::put_bytes(entry, v1::kFamily, family);
  const std::string_view help = (*parts.symbols)[metadata.help_ref];
  const std::string_view unit = (*parts.symbols)[metadata.unit_ref];
  if (!help.empty()) wire::put_bytes(entry, v1::kHelp, help);
  if (!unit.empty()) wire::put_bytes(entry, v1::kUnit, unit);
  add_metadata_entry(entry);
}

}  // namespace tideover::remote_write
