// The server's own refusals: counted, and told in words.
#pragma once

#include <string>

#include "agent/server/connections.h"
#include "agent/server/core.h"

namespace tideover::server {

// 503 and when to come again. Uncounted.
http::Response busy(std::string sentence);

// `malformed`: what is wrong with the bytes, of a bad_request.
http::Response refuse(Core& core, Refusal why, const std::string& malformed = {});

http::Response refuse_head_size(Core& core);
http::Response refuse_method(Core& core, const std::string& allow);
// 404, and now and then a line in the log that names the path: a sender gives up what is answered so.
http::Response refuse_path(Core& core, const http::Request& request, const Connection& client);

}  // namespace tideover::server
