// Items [first, last) of a batch. An item is the smallest thing that can be sent alone.
#pragma once

#include <cstddef>
#include <limits>

namespace tideover::forward {

// `last == kEnd` until the batch has been cut: counting items means decoding, which the healthy path never
// does.
inline constexpr std::size_t kEnd = std::numeric_limits<std::size_t>::max();
struct Part {
  std::size_t first = 0;
  std::size_t last = kEnd;

  bool whole() const { return first == 0 && last == kEnd; }
  std::size_t items() const { return last - first; }
  bool operator==(const Part&) const = default;
};

}  // namespace tideover::forward
