// Field numbers of Remote Write 1.0 (prompb/remote.proto, types.proto), and its two smallest messages.
#pragma once

#include <string_view>
#include <vector>

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
[[nodiscard]] bool read_exemplar(std::string_view bytes, std::vector<Label>& labels);

struct Metadata {
  std::uint32_t type = 0;
  std::string_view family;
  std::string_view help;
  std::string_view unit;
};

// False when the bytes are no metadata message.
[[nodiscard]] bool read_metadata(std::string_view bytes, Metadata& out);

// The form in which every known sender writes a label: name, value, lengths of one byte. Anything else goes
// through read_label.
[[nodiscard]] inline bool read_plain_label(std::string_view bytes, Label& out) {
  const std::size_t size = bytes.size();
  if (size < 4 || bytes[0] != wire::tag_of(kName, wire::kBytes)) return false;
  const std::size_t name_size = static_cast<unsigned char>(bytes[1]);
  if (name_size >= 0x80 || name_size + 4 > size) return false;
  const std::size_t value_size = static_cast<unsigned char>(bytes[3 + name_size]);
  if (bytes[2 + name_size] != wire::tag_of(kValue, wire::kBytes)) return false;
  if (value_size >= 0x80 || name_size + value_size + 4 != size) return false;
  out = {{bytes.data() + 2, name_size}, {bytes.data() + 4 + name_size, value_size}};
  return true;
}

}  // namespace tideover::remote_write::v1
