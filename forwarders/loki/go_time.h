// A point in time as Loki, a program in Go, prints it in its answers. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tideover::loki {

// Takes it from the front of `text`, as unix time in nanoseconds. Both forms that occur: RFC 3339
// ("2026-11-29T07:00:00Z") and time.Time's own ("2026-11-29 07:00:00.5 +0000 UTC"), with any offset.
// nullopt, and `text` as it was, when there is none, or none that 64 bits of nanoseconds can say.
std::optional<std::int64_t> take_go_time(std::string_view& text);

}  // namespace tideover::loki
