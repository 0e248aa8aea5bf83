// Distinct number types, so that an offset is never taken for a sequence number.
#pragma once

#include <compare>
#include <cstdint>

namespace tideover {

template <class Tag, class Rep>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
};

// Position of a record in its lane; the first record has 1, and 0 means "before the first".
using Seq = Strong<struct SeqTag, std::uint64_t>;

// Durable number of a lane; its name is mapped to it once and for ever.
using LaneId = Strong<struct LaneIdTag, std::uint32_t>;

constexpr Seq next(Seq seq) { return Seq{seq.value + 1}; }

}  // namespace tideover
