// The reading half of write_request_builder.h.
#include <bit>
#include <snappy.h>
#include <stdexcept>

#include "remote_write_v1.pb.h"
#include "remote_write_v2.pb.h"
#include "tests/support/write_request_builder.h"

namespace tideover::test {
namespace {

std::string as_text(std::uint64_t number) { return std::to_string(number) + " "; }
std::string as_text(std::int64_t number) { return std::to_string(number) + " "; }
std::string as_text(double number) { return as_text(bits_of(number)); }

template <class Numbers>
std::string list(const char* name, const Numbers& numbers) {
  std::string text = std::string(name) + ": ";
  for (const auto number : numbers) text += as_text(number);
  return text;
}

template <class Spans>
std::string spans(const char* name, const Spans& all) {
  std::string text = std::string(name) + ": ";
  for (const auto& span : all)
    text += as_text(std::int64_t{span.offset()}) + as_text(std::uint64_t{span.length()});
  return text;
}

// The same text for the same histogram in either version.
template <class Histogram>
std::string histogram_text(const Histogram& from) {
  std::string text = "count " + std::to_string(from.count_case()) + ": ";
  text += as_text(from.count_int()) + as_text(from.count_float());
  text += "zero " + std::to_string(from.zero_count_case()) + ": ";
  text += as_text(from.zero_count_int()) + as_text(from.zero_count_float()) + as_text(from.zero_threshold());
  text += "sum " + as_text(from.sum()) + "schema " + as_text(std::int64_t{from.schema()});
  text += "hint " + as_text(std::int64_t{from.reset_hint()});
  text += spans("negative spans", from.negative_spans()) + list("deltas", from.negative_deltas());
  text += list("counts", from.negative_counts());
  text += spans("positive spans", from.positive_spans()) + list("deltas", from.positive_deltas());
  text += list("counts", from.positive_counts()) + list("custom", from.custom_values());
  return text;
}

LabelMap to_map(const Labels& labels) { return {labels.begin(), labels.end()}; }

bool is_sorted(const Labels& labels) {
  for (std::size_t i = 1; i < labels.size(); ++i)
    if (labels[i - 1].first >= labels[i].first) return false;
  return true;
}

template <class Repeated>
Labels labels_v1(const Repeated& from) {
  Labels labels;
  for (const auto& label : from) labels.emplace_back(label.name(), label.value());
  return labels;
}

template <class Repeated>
Labels labels_v2(const Repeated& refs, const v2::Request& request) {
  if (refs.size() % 2 != 0) throw std::runtime_error("odd number of label references");
  const auto symbol = [&request](std::uint32_t ref) {
    if (ref >= static_cast<std::uint32_t>(request.symbols_size()))
      throw std::runtime_error("reference out of range");
    return request.symbols(static_cast<int>(ref));
  };
  Labels labels;
  for (int i = 0; i < refs.size(); i += 2) labels.emplace_back(symbol(refs[i]), symbol(refs[i + 1]));
  return labels;
}

Contents contents_v1(std::string_view raw) {
  v1::WriteRequest request;
  if (!request.ParseFromArray(raw.data(), static_cast<int>(raw.size())))
    throw std::runtime_error("no 1.0 message");
  Contents contents;
  for (const auto& series : request.timeseries()) {
    const Labels labels = labels_v1(series.labels());
    const LabelMap map = to_map(labels);
    contents.sorted = contents.sorted && is_sorted(labels);
    for (const auto& sample : series.samples())
      contents.points.push_back({map, sample.timestamp(), bits_of(sample.value()), 0, ""});
    for (const auto& histogram : series.histograms())
      contents.points.push_back(
          {map, histogram.timestamp(), bits_of(histogram.sum()), 0, histogram_text(histogram)});
    for (const auto& exemplar : series.exemplars())
      contents.exemplars.push_back(
          {map, to_map(labels_v1(exemplar.labels())), exemplar.timestamp(), bits_of(exemplar.value())});
  }
  for (const auto& entry : request.metadata())
    contents.metadata.push_back({entry.metric_family_name(), entry.type(), entry.help(), entry.unit()});
  return contents;
}

Contents contents_v2(std::string_view raw) {
  v2::Request request;
  if (!request.ParseFromArray(raw.data(), static_cast<int>(raw.size())))
    throw std::runtime_error("no 2.0 message");
  Contents contents;
  for (const auto& series : request.timeseries()) {
    const Labels labels = labels_v2(series.labels_refs(), request);
    const LabelMap map = to_map(labels);
    contents.sorted = contents.sorted && is_sorted(labels);
    for (const auto& sample : series.samples())
      contents.points.push_back(
          {map, sample.timestamp(), bits_of(sample.value()), sample.start_timestamp(), ""});
    for (const auto& histogram : series.histograms())
      contents.points.push_back({map, histogram.timestamp(), bits_of(histogram.sum()),
                                 histogram.start_timestamp(), histogram_text(histogram)});
    for (const auto& exemplar : series.exemplars())
      contents.exemplars.push_back({map, to_map(labels_v2(exemplar.labels_refs(), request)),
                                    exemplar.timestamp(), bits_of(exemplar.value())});
    const auto& metadata = series.metadata();
    const std::string& help = request.symbols(static_cast<int>(metadata.help_ref()));
    const std::string& unit = request.symbols(static_cast<int>(metadata.unit_ref()));
    if (metadata.type() != 0 || !help.empty() || !unit.empty())
      contents.of_series.push_back({map, {"", metadata.type(), help, unit}});
  }
  return contents;
}

}  // namespace

double from_bits(std::uint64_t bits) { return std::bit_cast<double>(bits); }
std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

std::string snappy_block(std::string_view raw) {
  std::string block;
  snappy::Compress(raw.data(), raw.size(), &block);
  return block;
}

std::string noise(std::size_t bytes) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < bytes)
    text += static_cast<char>('!' + (state = state * 1664525 + 1013904223) / 0x3000000);
  WriteRequest request;
  request.series({{"__name__", "up"}, {"job", text}}).sample(1'000, 1);
  return snappy_block(request.encode(Version::v1));
}

std::string snappy_plain(std::string_view block) {
  std::string raw;
  if (!snappy::Uncompress(block.data(), block.size(), &raw)) throw std::runtime_error("no snappy block");
  return raw;
}

Contents contents_of(std::string_view raw, Version version) {
  return version == Version::v1 ? contents_v1(raw) : contents_v2(raw);
}

std::vector<Point> samples_of(std::string_view raw, Version version) {
  return contents_of(raw, version).points;
}

Contents joined(const std::vector<std::string>& raws, Version version) {
  Contents all;
  for (const std::string& raw : raws) {
    const Contents one = contents_of(raw, version);
    all.points.insert(all.points.end(), one.points.begin(), one.points.end());
    all.exemplars.insert(all.exemplars.end(), one.exemplars.begin(), one.exemplars.end());
    all.metadata.insert(all.metadata.end(), one.metadata.begin(), one.metadata.end());
    all.of_series.insert(all.of_series.end(), one.of_series.begin(), one.of_series.end());
    all.sorted = all.sorted && one.sorted;
  }
  return all;
}

wal::Attributes attributes_of(std::string_view raw, Version version) {
  const Contents contents = contents_of(raw, version);
  wal::Attributes attributes;
  attributes.encoding = static_cast<std::uint16_t>(version);
  attributes.raw_bytes = static_cast<std::uint32_t>(raw.size());
  if (contents.sorted) attributes.flags |= remote_write::kSorted;
  const auto count = [&attributes](remote_write::Tally tally) { ++attributes.tallies[tally]; };
  for (const Point& point : contents.points) {
    count(point.histogram.empty() ? remote_write::kFloats : remote_write::kHistograms);
    if (point.start_ms != 0) attributes.flags |= remote_write::kStartTimestamps;
    const bool first = attributes.units++ == 0;
    attributes.oldest_ms = first ? point.timestamp_ms : std::min(attributes.oldest_ms, point.timestamp_ms);
    attributes.newest_ms = first ? point.timestamp_ms : std::max(attributes.newest_ms, point.timestamp_ms);
  }
  attributes.tallies[remote_write::kExemplars] = static_cast<std::uint32_t>(contents.exemplars.size());
  attributes.tallies[remote_write::kMetadata] =
      static_cast<std::uint32_t>(contents.metadata.size() + contents.of_series.size());
  attributes.arrival_ms = attributes.newest_ms;
  return attributes;
}

wal::NewRecord new_record(std::string_view raw, Version version) {
  return {std::string(wal::kEnvelopeBytes, '\0') + snappy_block(raw), attributes_of(raw, version)};
}

std::vector<wal::StoredRecord> stored_records(const std::vector<std::string>& raws, Version version) {
  std::vector<wal::StoredRecord> records;
  wal::Totals through;
  for (const std::string& raw : raws) {
    wal::NewRecord record = new_record(raw, version);
    through = through + wal::Totals{1, record.attributes.units, record.bytes.size()};
    const Seq seq{records.size() + 1};
    auto bytes = std::make_shared<const std::string>(std::move(record.bytes));
    records.push_back({seq, through, record.attributes, std::move(bytes)});
  }
  return records;
}

}  // namespace tideover::test
