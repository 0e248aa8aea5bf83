#include "forwarders/remote_write/message_parts.h"

#include <algorithm>

#include "forwarders/remote_write/fields_v1.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

// Message::decode has read every series once: what it let pass, reads again.
constexpr std::string_view kReadBefore = "a series that was decoded reads the same again";

void read_parts_v1(std::string_view bytes, SeriesParts& parts) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag = 0;
    std::string_view part;
    bool read = reader.tag(tag);
    if (tag == wire::tag_of(v1::kSeriesLabels, wire::kBytes))
      read = read && reader.bytes(part) && v1::read_label(part, parts.labels.emplace_back());
    else if (tag == wire::tag_of(v1::kSeriesExemplars, wire::kBytes))
      read = read && reader.bytes(parts.exemplars.emplace_back());
    else
      read = read && reader.skip(tag);
    invariant(read, kReadBefore);
  }
}

void read_parts_v2(std::string_view bytes, SeriesParts& parts) {
  v2::Refs refs;
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag = 0;
    std::string_view part;
    bool read = reader.tag(tag);
    switch (tag) {
      case wire::tag_of(v2::kSeriesLabelsRefs, wire::kBytes):
      case wire::tag_of(v2::kSeriesLabelsRefs, wire::kVarint):
        read = read && v2::read_refs(reader, tag, refs);
        break;
      case wire::tag_of(v2::kSeriesExemplars, wire::kBytes):
        read = read && reader.bytes(parts.exemplars.emplace_back());
        break;
      case wire::tag_of(v2::kSeriesMetadata, wire::kBytes):
        read = read && reader.bytes(part) && v2::read_metadata(part, parts.metadata);
        break;
      default: read = read && reader.skip(tag);
    }
    invariant(read, kReadBefore);
  }
  LabelList labels;
  invariant(parts.symbols->labels(refs, labels), kReadBefore);
  parts.labels.assign(labels.view().begin(), labels.view().end());
}

}  // namespace

SeriesParts take_apart(const Message::Impl& message, const Series& series, const ExternalLabels& external) {
  SeriesParts parts;
  const std::string_view bytes = message.bytes(series.record, series.place);
  if (message.version == Version::v1) {
    read_parts_v1(bytes, parts);
  } else {
    parts.symbols = &message.symbols[series.record];
    read_parts_v2(bytes, parts);
  }
  const auto by_name = [](const Label& a, const Label& b) { return a.name < b.name; };
  std::sort(parts.labels.begin(), parts.labels.end(), by_name);
  const std::size_t own = parts.labels.size();
  for (const auto& [name, value] : external) {
    const auto end = parts.labels.begin() + static_cast<std::ptrdiff_t>(own);
    if (!std::binary_search(parts.labels.begin(), end, Label{name, value}, by_name))
      parts.labels.push_back({name, value});
  }
  std::inplace_merge(parts.labels.begin(), parts.labels.begin() + static_cast<std::ptrdiff_t>(own),
                     parts.labels.end(), by_name);
  return parts;
}

}  // namespace tideover::remote_write
