#include "forwarders/loki/stream_name.h"

#include <utility>

namespace tideover::loki {
namespace {

// Added by the receiver, whether or not we sent it too.
bool is_added(const Label& label) { return label.name == "service_name" || label.name == "__stream_shard__"; }

}  // namespace

std::optional<StreamName> StreamName::take(std::string_view& text) {
  return without_added(take_labels(text));
}

std::optional<StreamName> StreamName::of(std::string_view labels) {
  return without_added(parse_labels(labels));
}

std::optional<StreamName> StreamName::without_added(Result<std::vector<Label>> labels) {
  if (!labels) return std::nullopt;
  StreamName stream;
  stream.labels_ = std::move(*labels);
  std::erase_if(stream.labels_, is_added);
  return stream;
}

}  // namespace tideover::loki
