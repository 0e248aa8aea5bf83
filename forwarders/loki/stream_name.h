// What a Loki calls a stream when it refuses something of it: {app="api", job="x"}.
//
// It writes labels in an order and with quotes of its own, leaves out empty ones, and adds two: service_name
// (pkg/loghttp/push, "discover_service_name") and, to the parts of a stream that it has split,
// __stream_shard__. So names are compared by what they say, without these. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tideover::loki {

class StreamName {
 public:
  // Takes it from the front of `text`; nullopt, and `text` as it was, when there is none. Values in double
  // quotes (with Go's escapes) or back quotes.
  static std::optional<StreamName> take(std::string_view& text);
  static std::optional<StreamName> of(std::string_view labels);  // and nothing behind it

  bool operator==(const StreamName&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> labels_;  // sorted
};

}  // namespace tideover::loki
