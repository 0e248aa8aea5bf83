// Which route answers a request. Pure; a handful of routes, so a walk over them is the fastest table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/server/http_server.h"

namespace tideover::server {

struct Match {
  const Route* route = nullptr;
  std::string allow;  // without a route: the methods this path does have; empty when the path is unknown
};

// HEAD is answered by the route of GET. More slashes than one in front of the path, and any behind it, are no
// other path.
Match find_route(const std::vector<Route>& routes, std::string_view method, std::string_view target);

}  // namespace tideover::server
