// The rules for the labels of a series, the same in both versions (Prometheus 3: any UTF-8 name): not empty,
// names unique, no name or value empty, valid UTF-8, __name__ among them. Order is only observed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forwarders/remote_write/limits.h"

namespace tideover::remote_write {

struct Label {
  std::string_view name;
  std::string_view value;
};

// The labels of one series after the other, in memory that is kept: filled through a plain pointer, since
// this is where a scan spends its time.
class LabelList {
 public:
  void clear() { size_ = 0; }
  // One label more than a series may have is kept, so that too many are seen to be so; the others are
  // dropped.
  bool full() const { return size_ > kSeriesLabelsMax; }
  void add(const Label& label) {
    if (full()) return;
    *room_for(1) = label;
    grow(1);
  }

  Label* room_for(std::size_t more) {
    if (slots_.size() - size_ < more) slots_.resize(2 * (size_ + more));
    return slots_.data() + size_;
  }
  void grow(std::size_t filled) { size_ += filled; }  // of the room asked for last

  std::span<const Label> view() const { return {slots_.data(), size_}; }
  std::span<Label> view() { return {slots_.data(), size_}; }

 private:
  std::vector<Label> slots_;
  std::size_t size_ = 0;
};

enum class LabelFault : std::uint8_t {
  none,
  no_labels,
  too_many,
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
