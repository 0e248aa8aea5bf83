// A push to Loki, decoded: by generated protobuf code and by Boost.JSON, never by the scanner under test.
//
// Loki's pkg/push/push.proto and pkg/loghttp/push/push.go are what it accepts: protobuf without its labels
// parsed; JSON as streams[] of {stream: {...}, values: [[ns as a string, line, optional metadata]]}.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tideover::test {

using LokiPairs = std::vector<std::pair<std::string, std::string>>;

struct LokiEntry {
  std::int64_t ns = 0;
  std::string line;
  LokiPairs metadata = {};

  bool operator==(const LokiEntry&) const = default;
};

struct LokiStream {
  std::string labels;
  std::vector<LokiEntry> entries;
};

using LokiPush = std::vector<LokiStream>;

std::optional<LokiPush> loki_push_of_protobuf(std::string_view raw);  // decompressed
std::optional<LokiPush> loki_push_of_json(std::string_view text);
std::string protobuf_of(const LokiPush& push);

// {b="2", a="1"}, read as strictly as Loki's parser does; nullopt: it would refuse the whole push. A name
// that comes twice is for the validation to find.
std::optional<LokiPairs> loki_labels_of(std::string_view text);
std::string loki_text_of(const LokiPairs& labels);  // as Loki prints them: sorted by the caller, Go's quotes

}  // namespace tideover::test
