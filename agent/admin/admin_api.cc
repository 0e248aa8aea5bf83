#include "agent/admin/admin_api.h"

#include <charconv>
#include <optional>
#include <utility>

#include "agent/admin/metrics_page.h"
#include "agent/admin/process_figures.h"
#include "agent/admin/status_json.h"

namespace tideover::admin {
namespace {

constexpr const char* kJson = "application/json";

http::Response respond(int status, std::string body, const char* type = "text/plain; charset=utf-8") {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

http::Response outcome(const Result<>& result) {
  if (result) return respond(200, "done\n");
  const int status = result.error().code == Errc::not_found ? 404 : 400;
  return respond(status, result.error().detail + "\n");
}

// A route whose answer needs no waiting.
template <class Answer>
server::Route route(const char* method, const char* path, Answer answer) {
  server::Route r;
  r.method = method;
  r.path = path;
  r.handle = [answer = std::move(answer)](http::Request request) -> awaitable<http::Response> {
    co_return answer(request);
  };
  return r;
}

// The value of `name` in a query of plain words; names and destinations need no escapes.
std::string_view query_value(std::string_view target, std::string_view name) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  std::string_view query = target.substr(mark + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

std::optional<Seq> first_wanted(std::string_view text) {
  if (text.empty()) return Seq{0};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Seq{number};
}

}  // namespace

std::vector<server::Route> reading_routes(Hooks hooks) {
  const auto page = [snapshot = hooks.snapshot](std::string (*print)(const Snapshot&)) {
    return [snapshot, print](const http::Request&) { return respond(200, print(snapshot()), kJson); };
  };
  std::vector<server::Route> routes;
  routes.push_back(route("GET", "/metrics", [snapshot = hooks.snapshot](const http::Request&) {
    return respond(200, metrics_page(snapshot(), process_figures()),
                   "text/plain; version=0.0.4; charset=utf-8");
  }));
  routes.push_back(
      route("GET", "/-/healthy", [](const http::Request&) { return respond(200, "healthy\n"); }));
  routes.push_back(route("GET", "/-/ready", [not_ready = hooks.not_ready](const http::Request&) {
    const std::string because = not_ready();
    return because.empty() ? respond(200, "ready\n") : respond(503, because + "\n");
  }));
  routes.push_back(route("GET", "/api/v1/status/buildinfo", page(buildinfo_json)));
  routes.push_back(route("GET", "/api/v1/status/buffer", page(buffer_json)));
  routes.push_back(route("GET", "/api/v1/status/destinations", page(destinations_json)));
  routes.push_back(route("GET", "/api/v1/status/ledger", page(ledger_json)));
  routes.push_back(route("GET", "/api/v1/status/logs", page(logs_json)));
  routes.push_back(route("GET", "/api/v1/status/senders", page(senders_json)));
  return routes;
}

std::vector<server::Route> operator_routes(Hooks hooks) {
  std::vector<server::Route> routes = reading_routes(hooks);
  routes.push_back(route("POST", "/-/reload", [reload = hooks.reload](const http::Request& request) {
    return outcome(reload(query_value(request.target, "leave_backlog") == "true"));
  }));
  routes.push_back(
      route("POST", "/api/v1/buffer/replay-parked", [retry = hooks.retry_now](const http::Request& request) {
        const Result<> done = retry(query_value(request.target, "signal"));
        return done ? respond(200, "what is parked or quarantined is tried now\n") : outcome(done);
      }));
  routes.push_back(
      route("POST", "/api/v1/buffer/drop-cursor", [drop = hooks.drop_cursor](const http::Request& request) {
        const std::string_view name = query_value(request.target, "destination");
        if (name.empty()) return respond(400, "name the destination: ?destination=NAME\n");
        return outcome(drop(query_value(request.target, "signal"), name));
      }));
  server::Route rejects;
  rejects.method = "GET";
  rejects.path = "/api/v1/buffer/rejects";
  rejects.handle = [read = hooks.rejects](http::Request request) -> awaitable<http::Response> {
    const std::string_view name = query_value(request.target, "destination");
    const std::optional<Seq> from = first_wanted(query_value(request.target, "from"));
    if (name.empty() || !from)
      co_return respond(400,
                        "name the destination, and where to begin if you like: ?destination=NAME&from=1\n");
    auto reading = read(std::string(query_value(request.target, "signal")), std::string(name), *from);
    const Result<RejectPage> page = co_await std::move(reading);
    if (!page) co_return outcome(page.error());
    co_return respond(200, rejects_json(*page), kJson);
  };
  routes.push_back(std::move(rejects));
  return routes;
}

}  // namespace tideover::admin
