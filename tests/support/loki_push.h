// A push to Loki, decoded: by generated protobuf code (push_oracle.h) and by Boost.JSON, never by what is
// under test.
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

#include "tests/support/push_oracle.h"

namespace tideover::test {

using LokiPairs = std::vector<std::pair<std::string, std::string>>;

using LokiEntry = PushedEntry;
using LokiStream = PushedStream;
using LokiPush = PushedStreams;

std::optional<LokiPush> loki_push_of_json(std::string_view text);

// {b="2", a="1"}, read as strictly as Loki's parser does; nullopt: it would refuse the whole push. A name
// that comes twice is for the validation to find.
std::optional<LokiPairs> loki_labels_of(std::string_view text);
std::string loki_text_of(const LokiPairs& labels);  // as Loki prints them: sorted by the caller, Go's quotes

}  // namespace tideover::test
