// One line of a container's log as the runtime writes it (kubernetes docs: CRI, "Log format"):
//
//   2026-11-28T10:00:00.123456789+01:00 stdout F what the program wrote
//
// The third word are tags with colons between them; of these the first says whether the line goes on in the
// next one of its stream (P) or ends here (F, and whatever there may be one day). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tideover::tail {

enum class Output : std::uint8_t { standard, error };
std::string_view to_string(Output output);  // stdout, stderr

struct CriLine {
  std::int64_t time_ns = 0;  // unix
  Output output = Output::standard;
  bool partial = false;
  std::string_view content;  // of `line`
};

// `line` is without its line feed. nullopt: it is not one.
std::optional<CriLine> parse_cri_line(std::string_view line);

// RFC 3339 with up to nine digits of fraction and an offset; nullopt also for years that 64 bits of
// nanoseconds do not reach (1678 to 2261).
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace tideover::tail
