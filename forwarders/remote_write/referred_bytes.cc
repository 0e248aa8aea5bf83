#include "forwarders/remote_write/referred_bytes.h"

namespace tideover::remote_write::v2 {

using wire::kBytes;
using wire::kVarint;
using wire::tag_of;

namespace {

// Adds up what the references of one message of a request stand for.
class Referred {
 public:
  Referred(const SymbolTable& symbols, std::size_t max) : symbols_(symbols), max_(max) {}

  std::size_t bytes() const { return bytes_; }
  bool over() const { return bytes_ > max_; }

  void series(std::string_view bytes) {
    wire::Reader reader(bytes);
    std::uint32_t tag;
    std::string_view part;
    while (!over() && !reader.done() && reader.tag(tag)) {
      const std::uint32_t field = wire::field_of(tag);
      if (field == kSeriesLabelsRefs) {
        if (!labels_refs(reader, tag)) return;
      } else if (tag == tag_of(kSeriesExemplars, kBytes) && reader.bytes(part)) {
        exemplar(part);
      } else if (tag == tag_of(kSeriesMetadata, kBytes) && reader.bytes(part)) {
        Metadata metadata;
        if (!read_metadata(part, metadata)) return;
        ref(metadata.help_ref);
        ref(metadata.unit_ref);
      } else if (!reader.skip(tag)) {
        return;
      }
    }
  }

 private:
  void ref(std::uint64_t number) {
    const auto index = static_cast<std::uint32_t>(number);
    if (symbols_.has(index)) bytes_ += symbols_[index].size();
  }

  bool labels_refs(wire::Reader& reader, std::uint32_t tag) {
    std::uint64_t number;
    std::string_view packed;
    if (wire::type_of(tag) == kVarint) {
      if (!reader.varint(number)) return false;
      ref(number);
      return true;
    }
    if (!reader.bytes(packed)) return false;
    wire::Reader numbers(packed);
    while (!over() && !numbers.done() && numbers.varint(number)) ref(number);
    return true;
  }

  void exemplar(std::string_view bytes) {
    wire::Reader reader(bytes);
    std::uint32_t tag;
    while (!over() && !reader.done() && reader.tag(tag)) {
      const bool refs = wire::field_of(tag) == kExemplarLabelsRefs;
      if (!(refs ? labels_refs(reader, tag) : reader.skip(tag))) return;
    }
  }

  const SymbolTable& symbols_;
  const std::size_t max_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::size_t referred_bytes(std::string_view raw, const SymbolTable& symbols, std::size_t max) {
  Referred referred(symbols, max);
  wire::Reader reader(raw);
  std::uint32_t tag;
  std::string_view series;
  while (!referred.over() && !reader.done() && reader.tag(tag)) {
    if (tag != tag_of(kRequestTimeseries, kBytes)) {
      if (!reader.skip(tag)) break;
    } else {
      if (!reader.bytes(series)) break;
      referred.series(series);
    }
  }
  return referred.bytes();
}

}  // namespace tideover::remote_write::v2
