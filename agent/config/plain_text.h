// What can be said about a text without the YAML library.
#pragma once

#include <optional>
#include <string_view>

#include "agent/config/fault.h"

namespace tideover::config {

// The first control byte, byte that is not UTF-8, or byte order mark: behind one the YAML library counts
// columns otherwise, and an open quote at the start swallows the file unseen.
std::optional<Fault> unreadable_byte(std::string_view text);

// The first tab in front of a line's text, up to `last_line`. The library's own words for it ("end of map not
// found") send people the wrong way.
std::optional<Place> tab_in_indentation(std::string_view text, int last_line);

// `value` begins with a quote that nothing closes.
bool has_open_quote(std::string_view value);

}  // namespace tideover::config
