// Several 2.0 messages as one: the united table of symbols, then the series with their references rewritten.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forwarders/remote_write/symbol_writer.h"

namespace tideover::remote_write::v2 {

class Merger {
 public:
  // False when `raw` is no 2.0 message. `raw` outlives the merger.
  [[nodiscard]] bool add(std::string_view raw);

  void write(OutBuffer& out) const;  // the message

 private:
  // The shape in which every known sender writes a series: references in one packed field, points, metadata.
  struct PlainSeries {
    std::string_view packed_refs;
    std::string_view points;  // their fields
    Metadata metadata;
  };
  static bool read_plain(std::string_view bytes, PlainSeries& out);

  // Both say false when something refers to no symbol; the second also when the bytes are no series.
  [[nodiscard]] bool add_plain(const PlainSeries& series, RefMap& map);
  [[nodiscard]] bool add_any(std::string_view bytes, RefMap& map);
  [[nodiscard]] bool map_refs(RefMap& map);  // refs_, in place
  // Nothing when they are malformed or refer to no symbol. Valid until mapped_ is written to again.
  std::optional<std::string_view> map_packed(std::string_view packed, RefMap& map);

  SymbolWriter symbols_;
  OutBuffer series_;  // all of them, as fields of the request
  std::string body_;  // of a series that is not plain
  Refs refs_;
  OutBuffer mapped_;  // references of the plain series under way
};

// Fields of a series, for the rarer parts of it. `out` grows by the whole field.
void put_refs(std::string& out, std::uint32_t field, const Refs& refs);
void put_metadata(std::string& out, const Metadata& metadata);  // nothing when it says nothing
// The exemplar with other references; value and timestamp are copied as bytes. False when it is no exemplar.
[[nodiscard]] bool put_exemplar(std::string& out, std::string_view bytes, const Refs& refs);

}  // namespace tideover::remote_write::v2
