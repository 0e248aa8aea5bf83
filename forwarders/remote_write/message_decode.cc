// Message::decode: where everything lies. Every part is read here once, so that encode() can rely on it.
#include "forwarders/remote_write/fields_v1.h"
#include "forwarders/remote_write/histogram.h"
#include "forwarders/remote_write/message_parts.h"
#include "forwarders/remote_write/sample.h"
#include "forwarders/remote_write/snappy.h"

namespace tideover::remote_write {
namespace {

using wire::kBytes;
using wire::kVarint;
using wire::tag_of;

class Decoder {
 public:
  Decoder(Message::Impl& message, std::uint32_t record)
      : message_(message), record_(record), raw_(message.raws[record]) {}

  bool request_v1() {
    wire::Reader reader(raw_);
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view entry;
      if (!reader.tag(tag)) return false;
      switch (tag) {
        case tag_of(v1::kRequestTimeseries, kBytes):
          if (!reader.bytes(entry) || !series(entry, &Decoder::part_v1)) return false;
          break;
        case tag_of(v1::kRequestMetadata, kBytes): {
          v1::Metadata metadata;
          if (!reader.bytes(entry) || !v1::read_metadata(entry, metadata)) return false;
          begin_series(entry);
          add_item(ItemKind::metadata_entry, {});
          break;
        }
        default:
          if (!reader.skip(tag)) return false;
      }
    }
    return true;
  }

  bool request_v2() {
    if (!symbols().read_all(raw_)) return false;
    wire::Reader reader(raw_);
    while (!reader.done()) {
      std::uint32_t tag;
      std::string_view entry;
      if (!reader.tag(tag)) return false;
      if (tag != tag_of(v2::kRequestTimeseries, kBytes)) {
        if (!reader.skip(tag)) return false;
      } else if (!reader.bytes(entry) || !series(entry, &Decoder::part_v2)) {
        return false;
      }
    }
    return true;
  }

 private:
  using Part = bool (Decoder::*)(wire::Reader&, std::uint32_t tag);

  bool series(std::string_view bytes, Part part) {
    begin_series(bytes);
    const std::size_t before = message_.items.size();
    refs_.clear();
    metadata_ = {};
    wire::Reader reader(bytes);
    labels_.clear();
    if (message_.version == Version::v1) v1::read_plain_labels(reader, labels_);
    while (!reader.done()) {
      std::uint32_t tag;
      if (!reader.tag(tag) || !(this->*part)(reader, tag)) return false;
    }
    if (message_.items.size() == before) add_item(ItemKind::bare, {});
    return message_.version == Version::v1 || refers_into_table();
  }

  bool part_v1(wire::Reader& reader, std::uint32_t tag) {
    std::string_view part;
    Label label;
    SampleFacts times;
    switch (tag) {
      case tag_of(v1::kSeriesLabels, kBytes): return reader.bytes(part) && v1::read_label(part, label);
      case tag_of(v1::kSeriesExemplars, kBytes):
        return reader.bytes(part) && v1::read_exemplar(part, labels_);
      case tag_of(v1::kSeriesSamples, kBytes):
        return reader.bytes(part) && read_sample<Version::v1>(part, times) &&
               add_item(ItemKind::sample, part);
      case tag_of(v1::kSeriesHistograms, kBytes):
        return reader.bytes(part) && read_histogram(part, Version::v1, histogram_) &&
               add_item(ItemKind::histogram, part);
      default: return reader.skip(tag);
    }
  }

  bool part_v2(wire::Reader& reader, std::uint32_t tag) {
    std::string_view part;
    SampleFacts times;
    switch (tag) {
      case tag_of(v2::kSeriesLabelsRefs, kBytes):
      case tag_of(v2::kSeriesLabelsRefs, kVarint): return v2::read_refs(reader, tag, refs_);
      case tag_of(v2::kSeriesMetadata, kBytes):
        return reader.bytes(part) && v2::read_metadata(part, metadata_);
      case tag_of(v2::kSeriesExemplars, kBytes): return reader.bytes(part) && exemplar_v2(part);
      case tag_of(v2::kSeriesSamples, kBytes):
        return reader.bytes(part) && read_sample<Version::v2>(part, times) &&
               add_item(ItemKind::sample, part);
      case tag_of(v2::kSeriesHistograms, kBytes):
        return reader.bytes(part) && read_histogram(part, Version::v2, histogram_) &&
               add_item(ItemKind::histogram, part);
      default: return reader.skip(tag);
    }
  }

  bool exemplar_v2(std::string_view bytes) {
    v2::Refs refs;
    return v2::read_exemplar(bytes, refs) && symbols().labels(refs, labels_);
  }

  bool refers_into_table() {
    labels_.clear();
    const bool metadata = !metadata_.says_anything() ||
                          (symbols().has(metadata_.help_ref) && symbols().has(metadata_.unit_ref));
    return metadata && symbols().labels(refs_, labels_);
  }

  void begin_series(std::string_view bytes) { message_.series.push_back({record_, place_of(bytes)}); }

  bool add_item(ItemKind kind, std::string_view bytes) {
    const auto series = static_cast<std::uint32_t>(message_.series.size() - 1);
    message_.items.push_back({series, kind, bytes.empty() ? Place{} : place_of(bytes)});
    return true;
  }

  Place place_of(std::string_view bytes) const {
    return {static_cast<std::uint32_t>(bytes.data() - raw_.data()), static_cast<std::uint32_t>(bytes.size())};
  }

  v2::SymbolTable& symbols() { return message_.symbols[record_]; }

  Message::Impl& message_;
  const std::uint32_t record_;
  const std::string_view raw_;
  LabelList labels_;       // read to see that they can be; kept nowhere
  v2::Refs refs_;          // of the series under the reader
  v2::Metadata metadata_;  // likewise
  Histogram histogram_;
};

}  // namespace

Result<Message> Message::decode(std::span<const wal::StoredRecord> records) {
  auto message = std::make_unique<Impl>();
  if (!records.empty()) message->version = static_cast<Version>(records[0].attributes.encoding);
  const bool v1 = message->version == Version::v1;
  message->raws.resize(records.size());
  if (!v1) message->symbols.resize(records.size());
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    const Result<> plain = decompress(records[i].payload(), kDecodedBytesMax, message->raws[i]);
    if (!plain) return plain.error();
    Decoder decoder(*message, i);
    if (!(v1 ? decoder.request_v1() : decoder.request_v2()))
      return fail(Errc::bad_input, "a stored record is no write request of its version");
  }
  return Message(std::move(message));
}

}  // namespace tideover::remote_write
