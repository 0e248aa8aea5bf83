// Who is at the other end of a connection, in words.
#pragma once

#include <string>

#include "agent/server/listener.h"

namespace tideover::server {

// The address without the port: "10.0.0.7", "fe80::1"; "unix" for a process of this node; "?" when it has
// gone.
std::string peer_of(const Socket& socket);

}  // namespace tideover::server
