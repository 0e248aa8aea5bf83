// The agent's HTTP server: limits and deadlines on everything, one byte budget over all requests.
//
// Executor: io. Beast stays in the .cc. A route decides twice: from the head, before a byte of body is read
// (wrong type, too large, refused now), and then with the whole body.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/server/refusal.h"
#include "agent/server/sockets.h"
#include "forwarders/http/message.h"
#include "wal/base/clock.h"
#include "wal/base/result.h"

namespace tideover::server {

struct ServerLimits {
  std::size_t connections = 256;        // more are answered 503 and closed
  std::size_t header_bytes = 16 << 10;  // 431 beyond
  std::size_t body_bytes = 8 << 20;     // compressed; 413 beyond
  // Bodies of all requests together, 503 beyond; of a budget shared with other servers the part that they
  // cannot take.
  std::size_t inflight_bytes = 24 << 20;
  Duration header_time = std::chrono::seconds(10);
  Duration body_time = std::chrono::seconds(30);  // the whole body
  std::size_t body_bytes_per_second_min = 4096;   // slower clients are cut once the first 5 s are over
  Duration write_time = std::chrono::seconds(10);
  Duration idle_time = std::chrono::minutes(5);
  // What a client may keep us waiting in the middle of a request while all connections are in use and another
  // wants one: honest clients are near, and send a request at once.
  Duration patience = std::chrono::milliseconds(250);
};

struct Route {
  std::string method;
  std::string path;
  std::size_t headroom = 0;  // bytes left free in front of the body, so that a payload is never moved
  // Optional. Sees the request without its body; an answer here means the body is never stored.
  std::function<std::optional<http::Response>(const http::Request& head)> check;
  std::function<awaitable<http::Response>(http::Request request)> handle;
};

struct ServerMetrics {  // plain counters, read by the admin API on the same executor
  std::uint64_t connections_open = 0;
  std::uint64_t inflight_bytes = 0;
  std::uint64_t inflight_requests = 0;
  RefusalCounts refused;
};

class ByteBudget;

class HttpServer {
 public:
  // `clock` and `io` outlive the server. Unknown path: 404; known path, other method: 405 with Allow. Without
  // a budget to share it has one of its own.
  HttpServer(boost::asio::io_context& io, Clock& clock, const ServerLimits& limits, std::vector<Route> routes,
             std::shared_ptr<ByteBudget> shared = {});
  ~HttpServer();

  // "127.0.0.1:7302", "[::1]:7302" or "unix:/path" (mode 0600; a stale socket file is replaced). Port 0 picks
  // one. Errors: io_error with the address and the system's words; bad_input.
  Result<> listen(const std::string& address);
  // The same with what hand_over() of an earlier image of this process left. Sockets that turn out to be
  // something else are closed, with a warning, and the address is bound anew.
  Result<> listen(const std::string& address, Sockets inherited);
  std::string address() const;    // as bound; empty before listen()
  std::string asked_for() const;  // as given to listen()
  int descriptor() const;         // of the listening socket; -1 without one

  // Takes whoever waits in the backlog and stops accepting, lets requests under way finish until `deadline`,
  // then closes what is left. One that has not arrived in full within a second gets 503.
  awaitable<void> stop(Time deadline);

  // The end of this server, but not of its sockets: no client is refused and no connection closed. Requests
  // under way are answered as in stop(). New connections wait in the backlog, new requests where the system
  // keeps them. The sockets are the caller's.
  awaitable<Sockets> hand_over(Time deadline);

  const ServerMetrics& metrics() const;

  // Where sentences for the operator go (a handler that threw, descriptors used up); standard error until
  // set.
  void on_warning(std::function<void(std::string_view sentence)> warn);

  // A client waits, no descriptor is left, and each of this server's connections is in use: `find_one` may
  // make one free elsewhere, and says whether it did.
  void on_no_descriptor(std::function<bool()> find_one);
  bool give_up_a_connection();  // that does little with its place; false when there is none

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::server
