// The bytes in front of a response's body. Pure.
#pragma once

#include <string>
#include <string_view>

#include "forwarders/http/message.h"

namespace tideover::server {

struct Framing {
  bool keep_alive = true;
  bool http_1_0 = false;  // of the request: such a client must be told of a kept connection
  std::string_view date;  // as in "Sun, 06 Nov 1994 08:49:37 GMT"
};

// Appends status line and fields. Length, connection and date are the server's own: a handler's are ignored,
// and so is a field that holds a line break, which would let its author write a message of his own.
void append_head(std::string& out, const http::Response& response, const Framing& framing);

// A refusal in plain words, one line.
http::Response plain(int status, std::string sentence);

}  // namespace tideover::server
