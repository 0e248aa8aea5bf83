// tideover-loki-model [ADDRESS]: the strict model of Loki as a server, for scenarios and the demo. It prints
// the address that it listens on (default 127.0.0.1:0), keeps what it is sent in memory, and ends with
// SIGTERM; what it can be asked is in loki_surface.h.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <cstdio>
#include <fmt/core.h>

#include "agent/server/http_server.h"
#include "tests/support/loki_surface.h"
#include "wal/base/notifier.h"
#include "wal/base/system_clock.h"

namespace tideover {
namespace {

int serve(const std::string& address) {
  boost::asio::io_context io;
  SystemClock clock(io);
  test::LokiSurface surface;
  server::ServerLimits limits;
  limits.body_bytes = 100 << 20;  // Loki's own limit of a push
  limits.inflight_bytes = 400 << 20;
  auto handle = [&](http::Request request) -> awaitable<http::Response> {
    const std::int64_t delay_ms = surface.faults().delay_ms;
    const bool push = request.target.starts_with("/loki/");
    if (push && delay_ms > 0) co_await sleep_until(clock, clock.now() + std::chrono::milliseconds(delay_ms));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    co_return surface.answer(request, std::chrono::nanoseconds(now).count());
  };
  std::vector<server::Route> routes;
  for (const char* path : {"/loki/api/v1/push", "/model/mode", "/model/restart"})
    routes.push_back({"POST", path, 0, {}, handle});
  for (const char* path : {"/model/lines", "/model/discarded", "/ready"})
    routes.push_back({"GET", path, 0, {}, handle});
  server::HttpServer server(io, clock, limits, std::move(routes));
  if (const auto listening = server.listen(address); listening.has_error()) {
    fmt::print(stderr, "{}\n", listening.error().detail);
    return 1;
  }
  fmt::print("{}\n", server.address());
  std::fflush(stdout);
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&io](auto, int) { io.stop(); });
  io.run();
  return 0;
}

}  // namespace
}  // namespace tideover

int main(int argc, char** argv) { return tideover::serve(argc > 1 ? argv[1] : "127.0.0.1:0"); }
