#include "agent/server/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fmt/format.h>

#include "agent/server/core.h"
#include "agent/server/listener.h"
#include "wal/base/invariant.h"

namespace tideover::server {
namespace {

using boost::system::error_code;

// No descriptors or memory for a connection now; sessions that end make room.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
// Clients told "too many connections" at a time; beyond, they are closed without a word.
constexpr std::size_t kTurnedAwayMax = 32;
// Closed sessions end on the next turn of the loop; only a handler that does not return takes longer.
constexpr Duration kCloseGrace = std::chrono::seconds(1);

void spawn(const std::shared_ptr<Core>& core, awaitable<void> task) {
  ++core->tasks;
  boost::asio::co_spawn(core->io, std::move(task), [core](std::exception_ptr error) {
    invariant(!error, "no exception leaves a session or the accept loop");
    if (--core->tasks == 0) core->ended.notify();
  });
}

void warn_on_stderr(std::string_view sentence) {
  fmt::print(stderr, "level=warn component=server msg=\"{}\"\n", sentence);
}

void take(const std::shared_ptr<Core>& core, Socket socket) {
  const bool room = core->connections.size() < core->limits.connections ||
                    core->connections.make_room(core->limits.patience);
  if (room) {
    spawn(core, serve(core, std::move(socket)));
    return;
  }
  ++core->metrics.connections_refused;
  if (core->connections.size() < core->limits.connections + kTurnedAwayMax)
    spawn(core, turn_away(core, std::move(socket)));
}

awaitable<void> accept_all(std::shared_ptr<Core> core, std::shared_ptr<Listener> listener) {
  while (!core->stopping) {
    error_code error;
    Socket socket(core->io);
    co_await listener->acceptor.async_accept(socket,
                                             boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (core->stopping) break;
    if (!error) {
      take(core, std::move(socket));
    } else if (error != boost::asio::error::connection_aborted) {
      core->warn(fmt::format("cannot accept a connection: {}", error.message()));
      co_await sleep_until(core->clock, core->clock.now() + kAcceptPause);
    }
  }
}

}  // namespace

std::string_view Core::date() {
  const std::int64_t second = to_unix_ms(clock.wall_now()) / 1000;
  if (second != date_second_) {
    date_second_ = second;
    const std::time_t time = static_cast<std::time_t>(second);
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[40];
    const std::size_t size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_.assign(text, size);
  }
  return date_;
}

class HttpServer::Impl {
 public:
  std::shared_ptr<Core> core;
  std::shared_ptr<Listener> listener;  // shared with the accept loop

  void stop_accepting() {
    core->stopping = true;
    if (listener) close_listener(*listener);
  }

  awaitable<bool> join_until(Time deadline) {
    bool in_time = true;
    while (core->tasks > 0 && in_time) in_time = co_await core->ended.wait_until(deadline);
    co_return core->tasks == 0;
  }
};

HttpServer::HttpServer(boost::asio::io_context& io, Clock& clock, const ServerLimits& limits,
                       std::vector<Route> routes)
    : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<Core>(io, clock, limits, std::move(routes));
  impl_->core->warn = warn_on_stderr;
}

HttpServer::~HttpServer() {
  impl_->stop_accepting();
  impl_->core->connections.close_all();
}

Result<> HttpServer::listen(const std::string& address) {
  invariant(!impl_->listener, "a server listens on one address");
  Result<Listener> opened = open_listener(impl_->core->io, address);
  if (!opened) return opened.error();
  impl_->listener = std::make_shared<Listener>(std::move(*opened));
  spawn(impl_->core, accept_all(impl_->core, impl_->listener));
  return {};
}

std::string HttpServer::address() const { return impl_->listener ? impl_->listener->address : std::string(); }

void HttpServer::on_warning(std::function<void(std::string_view)> warn) {
  impl_->core->warn = std::move(warn);
}

awaitable<void> HttpServer::stop(Time deadline) {
  impl_->stop_accepting();
  impl_->core->connections.close_idle();
  const bool drained = co_await impl_->join_until(deadline);
  if (drained) co_return;
  impl_->core->connections.close_all();
  co_await impl_->join_until(impl_->core->clock.now() + kCloseGrace);
}

const ServerMetrics& HttpServer::metrics() const {
  impl_->core->metrics.inflight_bytes = impl_->core->budget.used();
  return impl_->core->metrics;
}

}  // namespace tideover::server
