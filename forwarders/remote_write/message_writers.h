// The writers behind Message::encode, one for each version: series after series, then write(). They account
// for what they alone decide; points are accounted for by encode().
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "forwarders/remote_write/message_parts.h"
#include "forwarders/remote_write/symbol_writer.h"

namespace tideover::remote_write {

class WriterV1 {
 public:
  explicit WriterV1(Counts& counts) : counts_(counts) {}

  void add_series(const SeriesParts& parts, std::span<const Point> points);
  void add_metadata_entry(std::string_view bytes);
  void write(OutBuffer& out) const { out.append(out_.view()); }  // the message
  std::size_t bytes() const { return out_.view().size(); }       // of it, so far

 private:
  void add_exemplar(const SeriesParts& parts, std::string_view bytes);
  void add_metadata_of(const SeriesParts& parts);

  void add_rarities(const SeriesParts& parts, std::span<const Point> stripped);

  Counts& counts_;
  OutBuffer out_;
  std::string rarities_;                 // of the series under way: fields that are not copied as they are
  std::set<std::string_view> families_;  // whose metadata this request has already
};

class WriterV2 {
 public:
  explicit WriterV2(Counts& counts) : counts_(counts) {}

  void add_series(const SeriesParts& parts, std::span<const Point> points);
  void write(OutBuffer& out) const;                            // the message
  std::size_t bytes() const { return series_.view().size(); }  // of its series, so far

 private:
  const v2::Refs& refs_of(std::span<const Label> labels);  // until the next call
  void add_rarities(const SeriesParts& parts);

  Counts& counts_;
  v2::SymbolWriter symbols_;
  OutBuffer series_;
  std::string rarities_;  // of the series under way: exemplars and metadata
  v2::Refs refs_;
};

}  // namespace tideover::remote_write
