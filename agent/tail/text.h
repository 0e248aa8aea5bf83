// What a line may hold when it goes on: Loki takes protobuf strings and JSON, which are UTF-8 or refused
// whole (protobuf: "string"; RFC 8259 8.1).
//
// The one rule: a byte with which no character begins becomes U+FFFD, one for one, so that the number of bad
// bytes shows; everything else stays as it is, NUL and control characters included. It is applied to whole
// lines, since the runtime splits them between any two bytes. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tideover::tail {

bool is_utf8(std::string_view text);

// `text` itself when it is UTF-8, or `scratch` with what the rule makes of it; never longer than `bytes_max`,
// in whole characters. `cut`: its end is missing, and with it perhaps a part of its last character, which is
// then left out.
std::string_view clean(std::string_view text, std::size_t bytes_max, bool cut, std::string& scratch);

}  // namespace tideover::tail
