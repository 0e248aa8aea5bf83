#include "agent/server/refuse.h"

#include <fmt/format.h>

#include "agent/server/peer.h"
#include "agent/server/response_head.h"

namespace tideover::server {
namespace {

using http::Response;

// Slow is 503 and not 408, which names the case: Prometheus gives up what is answered with 4xx, and would
// lose samples because it was short of CPU for a while. A 503 makes it try again.
Response answer_of(const Core& core, Refusal why, const std::string& malformed) {
  switch (why) {
    case Refusal::connections:         // told by turn_away(), where there is room even for that
    case Refusal::crowded_out: break;  // closed without a word
    case Refusal::slow: return busy("the request came too slowly; try again");
    case Refusal::over_budget: return busy("too many bytes of requests are under way; try again");
    case Refusal::gave_way:
      return busy("the request came slowest of all, and there was no room for the others; try again");
    case Refusal::stopping: return busy("the agent stops or restarts; try again");
    case Refusal::too_large:
      return plain(413, fmt::format("the body is larger than {} bytes", core.limits.body_bytes));
    case Refusal::bad_request: return plain(400, "malformed request: " + malformed);
    case Refusal::not_found: return plain(404, "no such path");
    case Refusal::method: return plain(405, "this path does not have that method");
    case Refusal::expectation: return plain(417, "the only expectation understood is 100-continue");
    case Refusal::failed: break;
  }
  return plain(500, "internal error");
}

}  // namespace

Response busy(std::string sentence) {
  Response response = plain(503, std::move(sentence));
  response.headers.add("Retry-After", "1");
  return response;
}

Response refuse(Core& core, Refusal why, const std::string& malformed) {
  if (why == Refusal::slow && (core.leaving || core.stopping)) why = Refusal::stopping;
  ++core.metrics.refused[why];
  return answer_of(core, why, malformed);
}

Response refuse_head_size(Core& core) {
  ++core.metrics.refused[Refusal::too_large];
  return plain(431, fmt::format("the request's head is larger than {} bytes", core.limits.header_bytes));
}

Response refuse_method(Core& core, const std::string& allow) {
  Response response = refuse(core, Refusal::method);
  response.headers.add("Allow", allow);
  return response;
}

Response refuse_path(Core& core, const http::Request& request, const Connection& client) {
  ++core.metrics.refused[Refusal::not_found];
  const std::string peer = peer_of(client.socket);
  if (const auto line = core.strays.note({request.method, request.target, peer}, core.clock.now()))
    core.warn(*line);
  std::string there;
  for (const Route& route : core.routes)
    there += fmt::format("{}{} {}", there.empty() ? "" : ", ", route.method, route.path);
  return plain(404, "no such path; there is " + there);
}

}  // namespace tideover::server
