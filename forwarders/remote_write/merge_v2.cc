#include "forwarders/remote_write/merge_v2.h"

namespace tideover::remote_write::v2 {

using wire::kBytes;
using wire::kVarint;
using wire::tag_of;

namespace {

// False when it refers to no symbol.
bool map_metadata(Metadata& metadata, RefMap& map) {
  if (!map.has(metadata.help_ref) || !map.has(metadata.unit_ref)) return false;
  metadata.help_ref = map[metadata.help_ref];
  metadata.unit_ref = map[metadata.unit_ref];
  return true;
}

}  // namespace

void put_refs(std::string& out, std::uint32_t field, const Refs& refs) {
  std::size_t size = 0;
  for (const std::uint32_t ref : refs) size += wire::varint_size(ref);
  wire::put_varint(out, tag_of(field, kBytes));
  wire::put_varint(out, size);
  for (const std::uint32_t ref : refs) wire::put_varint(out, ref);
}

bool put_exemplar(std::string& out, std::string_view bytes, const Refs& refs) {
  std::string body;
  if (!refs.empty()) put_refs(body, kExemplarLabelsRefs, refs);
  wire::Reader reader(bytes);
  while (!reader.done()) {
    const char* const begin = reader.at();
    std::uint32_t tag;
    if (!reader.tag(tag) || !reader.skip(tag)) return false;
    if (wire::field_of(tag) != kExemplarLabelsRefs) body.append(begin, reader.at());
  }
  wire::put_bytes(out, kSeriesExemplars, body);
  return true;
}

void put_metadata(std::string& out, const Metadata& metadata) {
  if (!metadata.says_anything()) return;
  std::string body;
  if (metadata.type != 0) wire::put_number(body, kType, metadata.type);
  if (metadata.help_ref != 0) wire::put_number(body, kHelpRef, metadata.help_ref);
  if (metadata.unit_ref != 0) wire::put_number(body, kUnitRef, metadata.unit_ref);
  wire::put_bytes(out, kSeriesMetadata, body);
}

bool Merger::add(std::string_view raw) {
  SymbolTable table;
  if (!table.read_all(raw)) return false;
  RefMap map(table, symbols_);
  wire::Reader reader(raw);
  while (!reader.done()) {
    std::uint32_t tag;
    std::string_view bytes;
    if (!reader.tag(tag)) return false;
    if (tag != tag_of(kRequestTimeseries, kBytes)) {
      if (!reader.skip(tag)) return false;
    } else {
      PlainSeries series;
      if (!reader.bytes(bytes)) return false;
      if (!(read_plain(bytes, series) ? add_plain(series, map) : add_any(bytes, map))) return false;
    }
  }
  return true;
}

void Merger::write(OutBuffer& out) const {
  symbols_.write(out);
  out.append(series_.view());
}

bool Merger::read_plain(std::string_view bytes, PlainSeries& out) {
  wire::Reader reader(bytes);
  std::uint32_t tag;
  std::string_view part;
  if (reader.done() || !reader.tag(tag) || tag != tag_of(kSeriesLabelsRefs, kBytes)) return false;
  if (!reader.bytes(out.packed_refs)) return false;
  const char* const points = reader.at();
  const char* points_end = points;
  while (!reader.done()) {
    if (!reader.tag(tag) || wire::type_of(tag) != kBytes || !reader.bytes(part)) return false;
    const std::uint32_t field = wire::field_of(tag);
    if (field == kSeriesSamples || field == kSeriesHistograms) {
      points_end = reader.at();
      continue;
    }
    const bool last = field == kSeriesMetadata && reader.done();
    if (!last || !read_metadata(part, out.metadata)) return false;
  }
  out.points = {points, static_cast<std::size_t>(points_end - points)};
  return true;
}

bool Merger::add_plain(const PlainSeries& series, RefMap& map) {
  mapped_.clear();
  const auto refs = map_packed(series.packed_refs, map);
  if (!refs) return false;
  Metadata metadata = series.metadata;
  body_.clear();
  if (metadata.says_anything()) {
    if (!map_metadata(metadata, map)) return false;
    put_metadata(body_, metadata);
  }
  const std::size_t size = wire::field_size(refs->size()) + series.points.size() + body_.size();

  char* to = series_.room_for(wire::kHeadBytesMax + size);
  to = wire::write_head(to, kRequestTimeseries, size);
  to = OutBuffer::append_to(wire::write_head(to, kSeriesLabelsRefs, refs->size()), *refs);
  to = OutBuffer::append_to(to, series.points);
  series_.written_to(OutBuffer::append_to(to, body_));
  return true;
}

// In one pass from varints to varints: this is most of what uniting costs.
std::optional<std::string_view> Merger::map_packed(std::string_view packed, RefMap& map) {
  constexpr std::size_t kRefBytesMax = 5;  // and a reference takes at least one byte of `packed`
  char* const begin = mapped_.room_for(kRefBytesMax * packed.size());
  char* to = begin;
  wire::Reader reader(packed);
  while (!reader.done()) {
    std::uint64_t ref;
    if (!reader.varint(ref) || !map.has(static_cast<std::uint32_t>(ref))) return std::nullopt;
    to = wire::write_varint(to, map[static_cast<std::uint32_t>(ref)]);
  }
  return std::string_view(begin, static_cast<std::size_t>(to - begin));
}

bool Merger::add_any(std::string_view bytes, RefMap& map) {
  body_.clear();
  refs_.clear();
  Metadata metadata;
  wire::Reader reader(bytes);
  while (!reader.done()) {
    const char* const begin = reader.at();
    std::uint32_t tag;
    std::string_view part;
    if (!reader.tag(tag)) return false;
    switch (tag) {
      case tag_of(kSeriesLabelsRefs, kBytes):
      case tag_of(kSeriesLabelsRefs, kVarint):
        if (!read_refs(reader, tag, refs_)) return false;
        break;
      case tag_of(kSeriesExemplars, kBytes): {
        Refs labels;
        if (!reader.bytes(part) || !read_exemplar(part, labels)) return false;
        std::swap(labels, refs_);
        const bool mapped = map_refs(map);
        std::swap(labels, refs_);
        if (!mapped || !put_exemplar(body_, part, labels)) return false;
        break;
      }
      case tag_of(kSeriesMetadata, kBytes):
        if (!reader.bytes(part) || !read_metadata(part, metadata)) return false;
        break;
      default:
        if (!reader.skip(tag)) return false;
        body_.append(begin, reader.at());
    }
  }
  if (!map_refs(map)) return false;
  if (metadata.says_anything()) {
    if (!map_metadata(metadata, map)) return false;
    put_metadata(body_, metadata);
  }
  std::string series;
  put_refs(series, kSeriesLabelsRefs, refs_);
  series += body_;
  char* const to = series_.room_for(wire::kHeadBytesMax + series.size());
  series_.written_to(OutBuffer::append_to(wire::write_head(to, kRequestTimeseries, series.size()), series));
  return true;
}

bool Merger::map_refs(RefMap& map) {
  for (std::uint32_t& ref : refs_) {
    if (!map.has(ref)) return false;
    ref = map[ref];
  }
  return true;
}

}  // namespace tideover::remote_write::v2
