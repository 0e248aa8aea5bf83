#include "forwarders/remote_write/merge_v2.h"
#include "forwarders/remote_write/message_writers.h"
#include "wal/base/invariant.h"

namespace tideover::remote_write {

void WriterV2::add_series(const SeriesParts& parts, std::span<const Point> points) {
  body_.clear();
  v2::put_refs(body_, v2::kSeriesLabelsRefs, refs_of(parts.labels));
  for (const Point& point : points)
    wire::put_bytes(body_, point.kind == ItemKind::sample ? v2::kSeriesSamples : v2::kSeriesHistograms,
                    point.bytes);
  for (const std::string_view exemplar : parts.exemplars) {
    v2::Refs refs;
    LabelList labels;
    const bool put = v2::read_exemplar(exemplar, refs) && parts.symbols->labels(refs, labels) &&
                     v2::put_exemplar(body_, exemplar, refs_of(labels.view()));
    invariant(put, "an exemplar that was decoded reads the same again");
    ++counts_.exemplars;
  }
  if (parts.metadata.says_anything()) {
    v2::Metadata metadata = parts.metadata;
    metadata.help_ref = symbols_.ref((*parts.symbols)[metadata.help_ref]);
    metadata.unit_ref = symbols_.ref((*parts.symbols)[metadata.unit_ref]);
    v2::put_metadata(body_, metadata);
    ++counts_.metadata;
  }
  wire::put_bytes(out_, v2::kRequestTimeseries, body_);
  ++counts_.series;
}

std::string WriterV2::take() {
  std::string message;
  symbols_.write(message);
  message += out_;
  return message;
}

v2::Refs WriterV2::refs_of(std::span<const Label> labels) {
  v2::Refs refs;
  refs.reserve(2 * labels.size());
  for (const auto& [name, value] : labels) {
    refs.push_back(symbols_.ref(name));
    refs.push_back(symbols_.ref(value));
  }
  return refs;
}

}  // namespace tideover::remote_write
