// What the sessions of one server share.
//
// Held by shared_ptr: a session that outlives its server (an io_context destroyed without stop()) must still
// find it. Executor: io.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/server/byte_budget.h"
#include "agent/server/connections.h"
#include "agent/server/http_server.h"
#include "agent/server/stray_log.h"
#include "wal/base/notifier.h"

namespace tideover::server {

// Once the server stops, a client whose connection is open has this long to begin a request: one may be on
// its way.
inline constexpr Duration kLastCall = std::chrono::milliseconds(100);

struct Core {
  Core(boost::asio::io_context& context, Clock& the_clock, const ServerLimits& the_limits,
       std::vector<Route> the_routes, std::shared_ptr<ByteBudget> shared = {})
      : io(context),
        clock(the_clock),
        limits(the_limits),
        routes(std::move(the_routes)),
        bytes(shared ? std::move(shared)
                     : std::make_shared<ByteBudget>(the_limits.inflight_bytes, the_limits.patience),
              the_limits.inflight_bytes),
        connections(the_clock),
        ended(the_clock) {}

  boost::asio::io_context& io;
  Clock& clock;
  const ServerLimits limits;
  const std::vector<Route> routes;
  ServerMetrics metrics;
  ByteShare bytes;
  StrayLog strays;
  Connections connections;
  std::function<void(std::string_view)> warn;
  std::function<bool()> find_descriptor;  // elsewhere in the process; may be empty
  bool stopping = false;                  // every answer is the last of its connection
  bool leaving = false;                   // connections between two requests go to `left`
  std::vector<int> left;                  // descriptors for the next image of the process
  std::size_t tasks = 0;                  // coroutines: the accept loop and the sessions
  Notifier ended;                         // told when the last of them ends

  std::string_view date();  // for responses, made once a second

 private:
  std::string date_;
  std::int64_t date_second_ = -1;
};

// The coroutine of one connection. A new one must send its first request soon; one that an earlier image of
// this process served may take its time.
enum class Age : std::uint8_t { newly_accepted, inherited };
awaitable<void> serve(std::shared_ptr<Core> core, Socket socket, Age age);

// Tells a client that came beyond the limit of connections so.
awaitable<void> turn_away(std::shared_ptr<Core> core, Socket socket);

}  // namespace tideover::server
