#include "forwarders/remote_write/merge_v2.h"
#include "forwarders/remote_write/message_writers.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {
namespace {

std::uint32_t field_of(const Point& point) {
  return point.kind == ItemKind::sample ? v2::kSeriesSamples : v2::kSeriesHistograms;
}

}  // namespace

void WriterV2::add_series(const SeriesParts& parts, std::span<const Point> points) {
  add_rarities(parts);
  const v2::Refs& refs = refs_of(parts.labels.view());
  std::size_t refs_size = 0;
  for (const std::uint32_t ref : refs) refs_size += wire::varint_size(ref);
  std::size_t size = wire::field_size(refs_size) + rarities_.size();
  for (const Point& point : points) size += wire::field_size(point.bytes.size());

  char* to = series_.room_for(wire::kHeadBytesMax + size);
  to = wire::write_head(to, v2::kRequestTimeseries, size);
  to = wire::write_head(to, v2::kSeriesLabelsRefs, refs_size);
  for (const std::uint32_t ref : refs) to = wire::write_varint(to, ref);
  for (const Point& point : points)
    to = OutBuffer::append_to(wire::write_head(to, field_of(point), point.bytes.size()), point.bytes);
  series_.written_to(OutBuffer::append_to(to, rarities_));
  ++counts_.series;
}

void WriterV2::write(OutBuffer& out) const {
  symbols_.write(out);
  out.append(series_.view());
}

void WriterV2::add_rarities(const SeriesParts& parts) {
  rarities_.clear();
  for (const std::string_view exemplar : parts.exemplars) {
    v2::Refs refs;
    LabelList labels;
    const bool put = v2::read_exemplar(exemplar, refs) && parts.symbols->labels(refs, labels) &&
                     v2::put_exemplar(rarities_, exemplar, refs_of(labels.view()));
    invariant(put, "an exemplar that was decoded reads the same again");
    ++counts_.exemplars;
  }
  if (!parts.metadata.says_anything()) return;
  v2::Metadata metadata = parts.metadata;
  metadata.help_ref = symbols_.ref((*parts.symbols)[metadata.help_ref]);
  metadata.unit_ref = symbols_.ref((*parts.symbols)[metadata.unit_ref]);
  v2::put_metadata(rarities_, metadata);
  ++counts_.metadata;
}

const v2::Refs& WriterV2::refs_of(std::span<const Label> labels) {
  refs_.clear();
  for (const auto& [name, value] : labels) {
    refs_.push_back(symbols_.ref(name));
    refs_.push_back(symbols_.ref(value));
  }
  return refs_;
}

}  // namespace tideover::remote_write
