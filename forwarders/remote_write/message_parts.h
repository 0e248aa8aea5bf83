// What a Message holds of its records, and the form in which a series reaches the writers of either version.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/fields_v2.h"
#include "forwarders/remote_write/labels.h"
#include "forwarders/remote_write/message.h"

namespace tideover::remote_write {

// Bytes inside a record's message: not copied.
struct Place {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct Series {
  std::uint32_t record = 0;
  Place place;  // of the series; of the whole entry when it is metadata of 1.0
};

enum class ItemKind : std::uint32_t { sample, histogram, metadata_entry, bare };

struct Item {
  std::uint32_t series = 0;  // index
  ItemKind kind = ItemKind::bare;
  Place place;  // of the sample or histogram
};

struct Message::Impl {
  Version version = Version::v1;
  std::vector<std::string> raws;         // one for each record; never resized, for the tables look into them
  std::vector<v2::SymbolTable> symbols;  // 2.0: one for each record
  std::vector<Series> series;
  std::vector<Item> items;

  std::string_view bytes(std::uint32_t record, Place place) const {
    return std::string_view(raws[record]).substr(place.offset, place.size);
  }
};

// A series without its points.
struct SeriesParts {
  LabelList labels;                          // sorted, the external ones among them
  std::vector<std::string_view> exemplars;   // as messages of the record's version
  v2::Metadata metadata;                     // 2.0
  const v2::SymbolTable* symbols = nullptr;  // 2.0: what metadata and exemplars refer to
  v2::Refs refs;                             // 2.0: of the labels as they came
};

// Into `parts`, whose memory is used again.
void take_apart(const Message::Impl& message, const Series& series, const ExternalLabels& external,
                SeriesParts& parts);

// A point as a writer gets it.
struct Point {
  ItemKind kind;  // sample or histogram
  std::string_view bytes;
  bool has_start;  // and with it a start timestamp that is not 0
};

}  // namespace tideover::remote_write
