#include "forwarders/remote_write/message_parts.h"

#include <algorithm>

#include "forwarders/remote_write/fields_v1.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

// Message::decode has read every series once: what it let pass, reads again.
constexpr std::string_view kReadBefore = "a series that was decoded reads the same again";

bool read_label(wire::Reader& reader, LabelList& labels) {
  std::string_view part;
  Label label;
  if (!reader.bytes(part) || !v1::read_label(part, label)) return false;
  labels.add(label);
  v1::read_plain_labels(reader, labels);
  return true;
}

void read_parts_v1(std::string_view bytes, SeriesParts& parts) {
  wire::Reader reader(bytes);
  v1::read_plain_labels(reader, parts.labels);
  while (!reader.done()) {
    std::uint32_t tag = 0;
    bool read = reader.tag(tag);
    if (tag == wire::tag_of(v1::kSeriesLabels, wire::kBytes))
      read = read && read_label(reader, parts.labels);
    else if (tag == wire::tag_of(v1::kSeriesExemplars, wire::kBytes))
      read = read && reader.bytes(parts.exemplars.emplace_back());
    else
      read = read && reader.skip(tag);
    invariant(read, kReadBefore);
  }
}

void read_parts_v2(std::string_view bytes, SeriesParts& parts) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag = 0;
    std::string_view part;
    bool read = reader.tag(tag);
    switch (tag) {
      case wire::tag_of(v2::kSeriesLabelsRefs, wire::kBytes):
      case wire::tag_of(v2::kSeriesLabelsRefs, wire::kVarint):
        read = read && v2::read_refs(reader, tag, parts.refs);
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
  parts.symbols->forget_empty(parts.metadata);
  invariant(parts.symbols->labels(parts.refs, parts.labels), kReadBefore);
}

void sort_and_join(LabelList& labels, const ExternalLabels& external) {
  const auto by_name = [](const Label& a, const Label& b) { return a.name < b.name; };
  const std::span<Label> own = labels.view();
  if (!std::is_sorted(own.begin(), own.end(), by_name)) std::sort(own.begin(), own.end(), by_name);
  if (external.empty()) return;

  Label* const fresh = labels.room_for(external.size());
  const std::span<Label> before = labels.view();  // the room may have moved them
  std::size_t count = 0;
  for (const auto& [name, value] : external) {
    const Label label{name, value};
    if (!std::binary_search(before.begin(), before.end(), label, by_name)) fresh[count++] = label;
  }
  labels.grow(count);
  const std::span<Label> all = labels.view();
  std::inplace_merge(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(before.size()), all.end(),
                     by_name);
}

}  // namespace

void take_apart(const Message::Impl& message, const Series& series, const ExternalLabels& external,
                SeriesParts& parts) {
  parts.labels.clear();
  parts.exemplars.clear();
  parts.refs.clear();
  parts.metadata = {};
  const std::string_view bytes = message.bytes(series.record, series.place);
  if (message.version == Version::v1) {
    read_parts_v1(bytes, parts);
  } else {
    parts.symbols = &message.symbols[series.record];
    read_parts_v2(bytes, parts);
  }
  sort_and_join(parts.labels, external);
}

}  // namespace tideover::remote_write
