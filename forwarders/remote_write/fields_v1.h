// Field numbers of Remote Write 1.0 (prompb/remote.proto, types.proto), and its two smallest messages.
#pragma once

#include <string_view>

#include "forwarders/remote_write/labels.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write::v1 {

enum RequestField : std::uint32_t { kRequestTimeseries = 1, kRequestMetadata = 3 };
enum SeriesField : std::uint32_t {
  kSeriesLabels = 1,
  kSeriesSamples = 2,
  kSeriesExemplars = 3,
  kSeriesHistograms = 4
};
enum LabelField : std::uint32_t { kName = 1, kValue = 2 };
enum ExemplarField : std::uint32_t { kExemplarLabels = 1, kExemplarValue = 2, kExemplarTimestamp = 3 };
enum MetadataField : std::uint32_t { kType = 1, kFamily = 2, kHelp = 4, kUnit = 5 };

// False when the bytes are no label message. An absent name or value is an empty one.
[[nodiscard]] bool read_label(std::string_view bytes, Label& out);

// Appends the labels. False when the bytes are no exemplar message.
[[nodiscard]] bool read_exemplar(std::string_view bytes, LabelList& labels);

struct Metadata {
  std::uint32_t type = 0;
  std::string_view family;
  std::string_view help;
  std::string_view unit;
};

// False when the bytes are no metadata message.
[[nodiscard]] bool read_metadata(std::string_view bytes, Metadata& out);

// Takes the run of labels at the reader that have the form in which every known sender writes them: name,
// value, lengths of one byte. Most of a 1.0 request is such labels. Whatever else comes is left to
// read_label.
inline void read_plain_labels(wire::Reader& reader, LabelList& out) {
  constexpr std::size_t kRoom = 64;
  if (out.full()) return;
  Label* label = out.room_for(kRoom);
  Label* const full = label + kRoom;
  const Label* const first = label;
  const char* at = reader.rest().data();
  const char* const end = at + reader.rest().size();
  // A label of one byte each: two of its own tag and length, two for each string.
  while (end - at >= 8 && label != full && *at == wire::tag_of(kSeriesLabels, wire::kBytes)) {
    const std::size_t size = static_cast<unsigned char>(at[1]);
    const std::size_t name_size = static_cast<unsigned char>(at[3]);
    if (at[2] != wire::tag_of(kName, wire::kBytes) || size >= 0x80 || name_size + 4 > size) break;
    if (static_cast<std::size_t>(end - at) < size + 2) break;
    const char* const value = at + 4 + name_size;
    const std::size_t value_size = static_cast<unsigned char>(value[1]);
    if (value[0] != wire::tag_of(kValue, wire::kBytes) || name_size + value_size + 4 != size) break;
    *label++ = {{at + 4, name_size}, {value + 2, value_size}};
    at += 2 + size;  // by the label's own length: one load to the next label, not two in a row
  }
  out.grow(static_cast<std::size_t>(label - first));
  reader.advance(static_cast<std::size_t>(at - reader.at()));
}

}  // namespace tideover::remote_write::v1
