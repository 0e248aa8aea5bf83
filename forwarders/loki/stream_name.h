// What a Loki calls a stream when it refuses something of it: {app="api", job="x"}.
//
// It writes labels in an order and with quotes of its own, leaves out empty ones, and adds two: service_name
// (pkg/loghttp/push, "discover_service_name") and, to the parts of a stream that it has split,
// __stream_shard__. So names are compared by what they say, without these. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "forwarders/loki/labels.h"

namespace tideover::loki {

class StreamName {
 public:
  // Takes it from the front of `text`; nullopt, and `text` as it was, when there is none.
  static std::optional<StreamName> take(std::string_view& text);
  static std::optional<StreamName> of(std::string_view labels);  // and nothing behind it

  bool operator==(const StreamName&) const = default;

 private:
  static std::optional<StreamName> without_added(Result<std::vector<Label>> labels);

  std::vector<Label> labels_;  // sorted
};

}  // namespace tideover::loki
