#include "forwarders/remote_write/fields_v1.h"

namespace tideover::remote_write::v1 {

using wire::kBytes;
using wire::kFixed64;
using wire::kVarint;
using wire::tag_of;

bool read_label(std::string_view bytes, Label& out) {
  out = {};
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    if (!reader.tag(tag)) return false;
    bool read;
    switch (tag) {
      case tag_of(kName, kBytes): read = reader.bytes(out.name); break;
      case tag_of(kValue, kBytes): read = reader.bytes(out.value); break;
      default: read = wire::field_of(tag) > kValue && reader.skip(tag);
    }
    if (!read) return false;
  }
  return true;
}

bool read_exemplar(std::string_view bytes, LabelList& labels) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number = 0;
    std::string_view part;
    Label label;
    if (!reader.tag(tag)) return false;
    bool read;
    switch (tag) {
      case tag_of(kExemplarLabels, kBytes):
        read = reader.bytes(part) && read_label(part, label);
        labels.add(label);
        break;
      case tag_of(kExemplarValue, kFixed64): read = reader.fixed64(number); break;
      case tag_of(kExemplarTimestamp, kVarint): read = reader.varint(number); break;
      default: read = wire::field_of(tag) > kExemplarTimestamp && reader.skip(tag);
    }
    if (!read) return false;
  }
  return true;
}

bool read_metadata(std::string_view bytes, Metadata& out) {
  wire::Reader reader(bytes);
  while (!reader.done()) {
    std::uint32_t tag;
    std::uint64_t number = 0;
    if (!reader.tag(tag)) return false;
    bool read;
    switch (tag) {
      case tag_of(kType, kVarint):
        read = reader.varint(number);
        out.type = static_cast<std::uint32_t>(number);
        break;
      case tag_of(kFamily, kBytes): read = reader.bytes(out.family); break;
      case tag_of(kHelp, kBytes): read = reader.bytes(out.help); break;
      case tag_of(kUnit, kBytes): read = reader.bytes(out.unit); break;
      default: {
        const std::uint32_t field = wire::field_of(tag);
        read = (field == 3 || field > kUnit) && reader.skip(tag);
      }
    }
    if (!read) return false;
  }
  return true;
}

}  // namespace tideover::remote_write::v1
