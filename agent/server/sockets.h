// Open descriptors of one server, on their way from one image of the process to the next.
//
// Plain numbers: whoever holds them last closes them.
#pragma once

#include <string>
#include <vector>

namespace tideover::server {

struct Sockets {
  std::string address;           // as it was asked for: "127.0.0.1:7302", "unix:/path"
  int listener = -1;             // with whoever waits in its backlog
  std::vector<int> connections;  // each between two requests: the next byte read is the first of one
};

void close_sockets(Sockets& sockets);

}  // namespace tideover::server
