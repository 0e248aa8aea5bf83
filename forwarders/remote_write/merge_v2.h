// Several 2.0 messages as one: the united table of symbols, then the series with their references rewritten.
#pragma once

#include <string>
#include <string_view>

#include "forwarders/remote_write/symbol_writer.h"

namespace tideover::remote_write::v2 {

class Merger {
 public:
  // False when `raw` is no 2.0 message. `raw` outlives the merger.
  [[nodiscard]] bool add(std::string_view raw);

  std::string take();  // the message

 private:
  [[nodiscard]] bool add_series(std::string_view bytes, RefMap& map);
  [[nodiscard]] bool map_refs(RefMap& map);  // refs_, in place

  SymbolWriter symbols_;
  std::string series_;  // all of them, as fields of the request
  std::string body_;    // of the series under way
  Refs refs_;
};

// Appends `packed` label references as field `field`.
void put_refs(std::string& out, std::uint32_t field, const Refs& refs);

// Appends the exemplar with other references; value and timestamp are copied as bytes. False when the bytes
// are no exemplar.
[[nodiscard]] bool put_exemplar(std::string& out, std::string_view bytes, const Refs& refs);

void put_metadata(std::string& out, const Metadata& metadata);

}  // namespace tideover::remote_write::v2
