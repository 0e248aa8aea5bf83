// Where a destination is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string path;               // with its query, as written: a slash at its end is part of it
  std::string authority() const;  // for the Host field: the port only where it is not the scheme's own
};

// http and https; credentials in a URL are refused. The error names the fault, and shows nothing of the text.
Result<Url> parse_url(std::string_view text);

// What may be shown of a URL, wherever it is shown, and of what is none: scheme, host, port and path. User
// name, password, query and fragment may hold secrets; "?..." says that there is a query.
std::string printable_url(std::string_view text);

}  // namespace tideover::http
