// The label string of a stream, {app="api", job="x"}: parsed as Loki parses it, written as Loki writes it.
//
// Loki reads it with PromQL's parser for series: names are [a-zA-Z_][a-zA-Z0-9_]*, values are strings in
// double, single or back quotes with Go's escapes, a comma may trail. Here every name and value is kept, also
// what limits will refuse: which limit it was is said with the stream's name. Not taken, though
// PromQL has them: a metric's name in front, names in quotes, comments.
// Pure.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/result.h"

namespace tideover::loki {

// Beyond these no labels are parsed at all: what a stream may have is far less.
inline constexpr std::size_t kLabelTextMax = 256 << 10;
inline constexpr std::size_t kLabelsMax = 4096;

struct Label {
  std::string name;
  std::string value;

  auto operator<=>(const Label&) const = default;
};

// Sorted, without empty values; names may still repeat. Errors: bad_input, "couldn't parse labels:
// ...": Loki refuses the whole push with these words.
Result<std::vector<Label>> parse_labels(std::string_view text);
// The same from the front of `text`, which begins behind them afterwards; with an error it is as it was.
Result<std::vector<Label>> take_labels(std::string_view& text);

// In the order given: {a="b", c="d"}. Text that is not UTF-8 is escaped byte by byte, as Go does.
std::string label_string(const std::vector<Label>& labels);

}  // namespace tideover::loki
