#include "agent/server/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

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
// How long a request that is still arriving may hold up everybody else.
constexpr Duration kArrivalTime = std::chrono::seconds(1);
// More than the system's own limit on a backlog, which ends a flood while we stop.
constexpr std::size_t kBacklogMax = 4096;
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
    spawn(core, serve(core, std::move(socket), Age::newly_accepted));
    return;
  }
  ++core->metrics.refused[Refusal::connections];
  if (core->connections.size() < core->limits.connections + kTurnedAwayMax)
    spawn(core, turn_away(core, std::move(socket)));
}

bool descriptors_used_up(const error_code& error) {
  return error == boost::asio::error::no_descriptors ||
         error == boost::system::errc::too_many_files_open_in_system;
}

// The connection that does least with its descriptor gives it up.
bool find_descriptor(Core& core) {
  return core.connections.make_room(core.limits.patience) || (core.find_descriptor && core.find_descriptor());
}

awaitable<void> accept_all(std::shared_ptr<Core> core, std::shared_ptr<Listener> listener) {
  bool somebody_waits = false;  // and found no descriptor
  while (!core->stopping && !core->leaving) {
    error_code error;
    Socket socket(core->io);
    co_await listener->acceptor.async_accept(socket,
                                             boost::asio::redirect_error(boost::asio::use_awaitable, error));
    if (!error) {
      somebody_waits = false;
      take(core, std::move(socket));  // whoever was accepted while we stop has been promised an answer
      continue;
    }
    if (error == boost::asio::error::connection_aborted || error == boost::asio::error::operation_aborted)
      continue;
    // The system looks for a descriptor before it looks for a client: there may be nobody yet.
    if (descriptors_used_up(error) && !std::exchange(somebody_waits, true)) {
      co_await listener->acceptor.async_wait(Acceptor::wait_read,
                                             boost::asio::redirect_error(boost::asio::use_awaitable, error));
      continue;
    }
    somebody_waits = false;
    if (descriptors_used_up(error) && find_descriptor(*core)) continue;
    core->warn(fmt::format("cannot accept a connection: {}", error.message()));
    co_await sleep_until(core->clock, core->clock.now() + kAcceptPause);
  }
}

// Connections that the system accepted for us before we stopped.
void take_backlog(const std::shared_ptr<Core>& core, Acceptor& acceptor) {
  error_code error;
  acceptor.non_blocking(true, error);
  for (std::size_t taken = 0; !error && taken < kBacklogMax; ++taken) {
    Socket socket(core->io);
    acceptor.accept(socket, error);
    if (!error) take(core, std::move(socket));
  }
}

// One connection as it was left, unless it is none.
void take_inherited(const std::shared_ptr<Core>& core, int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  Socket socket(core->io);
  error_code error;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0)
    socket.assign(Protocol(peer.ss_family, 0), descriptor, error);
  if (socket.is_open())
    spawn(core, serve(core, std::move(socket), Age::inherited));
  else
    ::close(descriptor);  // the client has gone meanwhile, or it never was a connection
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

  Result<> listen_on(Result<Listener> opened) {
    invariant(!listener, "a server listens on one address");
    if (!opened) return opened.error();
    listener = std::make_shared<Listener>(std::move(*opened));
    spawn(core, accept_all(core, listener));
    return {};
  }

  void stop_accepting() {
    core->stopping = true;
    if (listener) close_listener(*listener);
  }

  awaitable<void> end_sessions(Time deadline) {
    bool all = co_await join_until(std::min(deadline, core->clock.now() + kArrivalTime));
    if (!all) {
      core->stopping = true;
      core->connections.cut_reading();
      all = co_await join_until(deadline);
    }
    if (all) co_return;
    core->connections.close_all();
    co_await join_until(core->clock.now() + kCloseGrace);
  }

  awaitable<bool> join_until(Time deadline) {
    bool in_time = true;
    while (core->tasks > 0 && in_time) in_time = co_await core->ended.wait_until(deadline);
    co_return core->tasks == 0;
  }
};

HttpServer::HttpServer(boost::asio::io_context& io, Clock& clock, const ServerLimits& limits,
                       std::vector<Route> routes, std::shared_ptr<ByteBudget> shared)
    : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<Core>(io, clock, limits, std::move(routes), std::move(shared));
  impl_->core->warn = warn_on_stderr;
}

HttpServer::~HttpServer() {
  impl_->stop_accepting();
  impl_->core->connections.close_all();
}

Result<> HttpServer::listen(const std::string& address) {
  return impl_->listen_on(open_listener(impl_->core->io, address));
}

Result<> HttpServer::listen(const std::string& address, Sockets inherited) {
  if (inherited.listener < 0) return listen(address);
  Result<Listener> adopted = adopt_listener(impl_->core->io, address, std::exchange(inherited.listener, -1));
  if (!adopted) {
    impl_->core->warn(adopted.error().detail);
    close_sockets(inherited);
    return listen(address);
  }
  for (const int connection : std::exchange(inherited.connections, {}))
    take_inherited(impl_->core, connection);
  return impl_->listen_on(std::move(adopted));
}

std::string HttpServer::address() const { return impl_->listener ? impl_->listener->address : std::string(); }

void HttpServer::on_warning(std::function<void(std::string_view)> warn) {
  impl_->core->warn = std::move(warn);
}

std::string HttpServer::asked_for() const {
  return impl_->listener ? impl_->listener->asked_for : std::string();
}

int HttpServer::descriptor() const {
  return impl_->listener ? impl_->listener->acceptor.native_handle() : -1;
}

bool HttpServer::give_up_a_connection() {
  return impl_->core->connections.make_room(impl_->core->limits.patience);
}

void HttpServer::on_no_descriptor(std::function<bool()> find_one) {
  impl_->core->find_descriptor = std::move(find_one);
}

awaitable<void> HttpServer::stop(Time deadline) {
  if (impl_->listener) take_backlog(impl_->core, impl_->listener->acceptor);
  impl_->stop_accepting();
  impl_->core->connections.allow_idle_until(std::min(deadline, impl_->core->clock.now() + kLastCall));
  co_await impl_->end_sessions(deadline);
}

awaitable<Sockets> HttpServer::hand_over(Time deadline) {
  Core& core = *impl_->core;
  Sockets sockets;
  if (!impl_->listener) co_return sockets;
  core.leaving = true;
  error_code ignored;
  impl_->listener->acceptor.cancel(ignored);  // a connection accepted already goes the way of the others
  core.connections.wake_idle();
  co_await impl_->end_sessions(deadline);
  sockets.address = impl_->listener->asked_for;
  sockets.listener = release_listener(*impl_->listener);
  sockets.connections = std::exchange(core.left, {});
  co_return sockets;
}

const ServerMetrics& HttpServer::metrics() const {
  ServerMetrics& metrics = impl_->core->metrics;
  metrics.inflight_bytes = impl_->core->bytes.used();
  metrics.refused[Refusal::crowded_out] = impl_->core->connections.crowded_out();
  return metrics;
}

}  // namespace tideover::server
