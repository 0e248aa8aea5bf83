// The rules for the labels of a series, the same in both versions (Prometheus 3: any UTF-8 name): not empty,
// names unique, no name or value empty, valid UTF-8, __name__ among them. Order is only observed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tideover::remote_write {

struct Label {
  std::string_view name;
  std::string_view value;
};

enum class LabelFault : std::uint8_t {
  none,
  no_labels,
  empty_name,
  empty_value,
  repeated,
  not_utf8,
  no_metric_name
};

struct LabelCheck {
  LabelFault fault = LabelFault::none;
  bool sorted = true;
  std::size_t at = 0;  // which label
};

// `utf8` says that all names and values are already known to be valid UTF-8.
LabelCheck check_labels(std::span<const Label> labels, bool utf8);

// What is wrong, as it stands in the answer: `label "job" appears twice`.
std::string sentence(const LabelCheck& check, std::span<const Label> labels);

// {__name__="up", job="node"}; bounded, and with everything escaped that is not plain text.
std::string describe(std::span<const Label> labels);

}  // namespace tideover::remote_write
