// The bytes in front of a request's body. Pure.
#pragma once

#include <string>
#include <string_view>

#include "forwarders/http/message.h"

namespace tideover::http {

struct RequestContext {
  std::string_view path;           // of the destination's URL; the request's own target goes behind it
  std::string_view authority;      // for Host
  std::string_view authorization;  // empty: none
  const Headers& fixed;            // of the configuration
};

// Appends request line and fields. A field of the request's own takes the place of a fixed one of that name.
// Length, host and connection are the transport's: such fields of the caller are ignored.
void append_head(std::string& out, const Request& request, const RequestContext& context);

// A line break in a field would let its author write a request of his own.
bool is_one_line(std::string_view text);

}  // namespace tideover::http
