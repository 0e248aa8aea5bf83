// Field numbers of Remote Write 2.0 (io/prometheus/write/v2/types.proto), its table of symbols, and the
// messages that refer to it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/labels.h"
#include "forwarders/remote_write/wire.h"

namespace tideover::remote_write::v2 {

enum RequestField : std::uint32_t {
  kRequestSymbols = 4,
  kRequestTimeseries = 5
};  // 1 to 3 are reserved, so that no 1.0 fits
enum SeriesField : std::uint32_t {
  kSeriesLabelsRefs = 1,
  kSeriesSamples = 2,
  kSeriesHistograms = 3,
  kSeriesExemplars = 4,
  kSeriesMetadata = 5
};
enum ExemplarField : std::uint32_t { kExemplarLabelsRefs = 1, kExemplarValue = 2, kExemplarTimestamp = 3 };
enum MetadataField : std::uint32_t { kType = 1, kHelpRef = 3, kUnitRef = 4 };

inline constexpr std::uint32_t kHistogramStart = 17;  // start_timestamp of a histogram

using Refs = std::vector<std::uint32_t>;

struct Metadata {
  std::uint32_t type = 0;
  std::uint32_t help_ref = 0;
  std::uint32_t unit_ref = 0;

  bool says_anything() const { return type != 0 || help_ref != 0 || unit_ref != 0; }
};

// References that a list keeps: two more than the labels of a series may need, so that too many show.
inline constexpr std::size_t kRefsKept = 2 * kSeriesLabelsMax + 2;

// Appends the numbers of a packed field, up to kRefsKept. False when they do not end where it does.
[[nodiscard]] bool append_refs(std::string_view packed, Refs& out);

// Appends what one labels_refs field holds, packed or not. False when the bytes are no such field.
[[nodiscard]] bool read_refs(wire::Reader& reader, std::uint32_t tag, Refs& out);

// Appends the exemplar's references. False when the bytes are no exemplar message.
[[nodiscard]] bool read_exemplar(std::string_view bytes, Refs& refs);

// Fields overwrite what `out` holds: protobuf merges a message that comes in several parts. False when the
// bytes are no metadata message.
[[nodiscard]] bool read_metadata(std::string_view bytes, Metadata& out);

// A view of the symbols of one message.
class SymbolTable {
 public:
  void clear();
  void add(std::string_view symbol);

  // All symbols of a message, also those behind its series. False when `raw` is no protobuf message, or one
  // with more than kEntriesMax of them.
  [[nodiscard]] bool read_all(std::string_view raw);

  std::size_t size() const { return symbols_.size(); }
  std::string_view operator[](std::uint32_t ref) const { return symbols_[ref]; }
  bool has(std::uint32_t ref) const { return ref < symbols_.size(); }
  bool utf8() const { return utf8_; }  // every one of them
  std::size_t longest() const { return longest_; }
  bool begins_empty() const { return symbols_.empty() || symbols_[0].empty(); }  // as 2.0 demands

  // A reference to an empty text says as little as none at all.
  void forget_empty(Metadata& metadata) const;

  // Appends the labels behind `refs`. False when they are odd in number or point outside.
  [[nodiscard]] bool labels(const Refs& refs, LabelList& out) const;

  // The same from a packed field, without a list of references in between. False also when it is malformed,
  // and then `out` is as it was.
  [[nodiscard]] bool labels(std::string_view packed, LabelList& out) const;

 private:
  std::vector<std::string_view> symbols_;
  std::size_t longest_ = 0;
  bool utf8_ = true;
};

}  // namespace tideover::remote_write::v2
