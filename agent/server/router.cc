#include "agent/server/router.h"

namespace tideover::server {
namespace {

// Of an address that was put together from parts, "//api/v1/write" or "/api/v1/write/", one slash is meant in
// front and none behind.
std::string_view as_meant(std::string_view path) {
  while (path.starts_with("//")) path.remove_prefix(1);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

Match find_route(const std::vector<Route>& routes, std::string_view method, std::string_view target) {
  const std::string_view path = as_meant(http::path_of(target));
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
