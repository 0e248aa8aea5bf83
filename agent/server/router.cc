#include "agent/server/router.h"

namespace tideover::server {

Match find_route(const std::vector<Route>& routes, std::string_view method, std::string_view target) {
  const std::string_view path = http::path_of(target);
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  Match match;
  for (const Route& route : routes) {
    if (route.path != path) continue;
    if (route.method == wanted || route.method == method) return {&route, {}};
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += route.method;
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace tideover::server
