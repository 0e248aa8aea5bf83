#include <algorithm>
#include <array>

#include "forwarders/remote_write/fields_v1.h"
#include "forwarders/remote_write/message_writers.h"
#include "forwarders/remote_write/sample.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

std::size_t label_size(const Label& label) {
  return wire::field_size(label.name.size()) + wire::field_size(label.value.size());
}

// Three heads and two strings: at most 30 bytes more than the strings.
char* write_label(char* to, std::uint32_t field, const Label& label) {
  to = wire::write_head(to, field, label_size(label));
  to = OutBuffer::append_to(wire::write_head(to, v1::kName, label.name.size()), label.name);
  return OutBuffer::append_to(wire::write_head(to, v1::kValue, label.value.size()), label.value);
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

std::uint32_t field_of(const Point& point) {
  return point.kind == ItemKind::sample ? v1::kSeriesSamples : v1::kSeriesHistograms;
}

}  // namespace

void WriterV1::add_series(const SeriesParts& parts, std::span<const Point> points) {
  // Points of a series stay in their order: when one has to be stripped, all of them take that way.
  const auto has_start = [](const Point& point) { return point.has_start; };
  const bool strip = std::any_of(points.begin(), points.end(), has_start);
  add_rarities(parts, strip ? points : std::span<const Point>());
  if (strip) points = {};

  std::size_t size = rarities_.size();
  for (const Label& label : parts.labels.view()) size += wire::field_size(label_size(label));
  for (const Point& point : points) size += wire::field_size(point.bytes.size());

  char* to = out_.room_for(wire::kHeadBytesMax + size);
  to = wire::write_head(to, v1::kRequestTimeseries, size);
  for (const Label& label : parts.labels.view()) to = write_label(to, v1::kSeriesLabels, label);
  for (const Point& point : points)
    to = OutBuffer::append_to(wire::write_head(to, field_of(point), point.bytes.size()), point.bytes);
  out_.written_to(OutBuffer::append_to(to, rarities_));
  ++counts_.series;
  if (parts.metadata.says_anything()) add_metadata_of(parts);
}

void WriterV1::add_rarities(const SeriesParts& parts, std::span<const Point> stripped) {
  rarities_.clear();
  std::string bytes;
  for (const Point& point : stripped) {
    bytes.clear();
    const std::uint32_t start =
        point.kind == ItemKind::sample ? std::uint32_t{kSampleStart} : v2::kHistogramStart;
    append_without(bytes, point.bytes, start);
    wire::put_bytes(rarities_, field_of(point), bytes);
  }
  for (const std::string_view exemplar : parts.exemplars) add_exemplar(parts, exemplar);
}

void WriterV1::add_metadata_entry(std::string_view bytes) {
  char* const to = out_.room_for(wire::kHeadBytesMax + bytes.size());
  out_.written_to(OutBuffer::append_to(wire::write_head(to, v1::kRequestMetadata, bytes.size()), bytes));
  ++counts_.metadata;
}

void WriterV1::add_exemplar(const SeriesParts& parts, std::string_view bytes) {
  ++counts_.exemplars;
  if (parts.symbols == nullptr) return wire::put_bytes(rarities_, v1::kSeriesExemplars, bytes);

  v2::Refs refs;
  LabelList labels;
  invariant(v2::read_exemplar(bytes, refs) && parts.symbols->labels(refs, labels),
            "an exemplar that was decoded reads the same again");
  OutBuffer buffer;
  for (const Label& label : labels.view()) {
    char* const to = buffer.room_for(3 * wire::kHeadBytesMax + label.name.size() + label.value.size());
    buffer.written_to(write_label(to, v1::kExemplarLabels, label));
  }
  std::string exemplar(buffer.view());
  append_without(exemplar, bytes,
                 v2::kExemplarLabelsRefs);  // value and timestamp have the same numbers in both
  wire::put_bytes(rarities_, v1::kSeriesExemplars, exemplar);
}

void WriterV1::add_metadata_of(const SeriesParts& parts) {
  const v2::Metadata& metadata = parts.metadata;
  std::string_view name;
  for (const Label& label : parts.labels.view())
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
