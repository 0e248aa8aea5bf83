// How large a 2.0 request becomes when every reference is replaced by its string, as 1.0 demands: a table of
// one string of megabytes and a hundred thousand references to it is a small request.
#pragma once

#include <cstddef>
#include <string_view>

#include "forwarders/remote_write/fields_v2.h"

namespace tideover::remote_write::v2 {

// Bytes of the strings behind all references of a message, each as often as it is referred to. Stops counting
// beyond `max`. For messages that were read before: what cannot be read counts nothing.
std::size_t referred_bytes(std::string_view raw, const SymbolTable& symbols, std::size_t max);

}  // namespace tideover::remote_write::v2
