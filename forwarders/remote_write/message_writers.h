// The writers behind Message::encode, one for each version: series after series, then take(). They account
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
  std::string take() { return std::move(out_); }

 private:
  void add_exemplar(const SeriesParts& parts, std::string_view bytes);
  void add_metadata_of(const SeriesParts& parts);

  Counts& counts_;
  std::string out_;
  std::string body_;                     // of the series under way
  std::set<std::string_view> families_;  // whose metadata this request has already
};

class WriterV2 {
 public:
  explicit WriterV2(Counts& counts) : counts_(counts) {}

  void add_series(const SeriesParts& parts, std::span<const Point> points);
  std::string take();

 private:
  v2::Refs refs_of(std::span<const Label> labels);

  Counts& counts_;
  v2::SymbolWriter symbols_;
  std::string out_;   // the series
  std::string body_;  // of the one under way
};

}  // namespace tideover::remote_write
