// UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. ASCII is the fast
// path: sixteen bytes a step on every platform.
#pragma once

#include <string_view>

namespace tideover::remote_write {

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace tideover::remote_write
