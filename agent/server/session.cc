// One connection: requests one after the other, each head, decision, body, handler, answer.
#include <boost/asio/ip/tcp.hpp>
#include <exception>
#include <fmt/format.h>
#include <optional>

#include "agent/server/body.h"
#include "agent/server/core.h"
#include "agent/server/io.h"
#include "agent/server/peer.h"
#include "agent/server/refuse.h"
#include "agent/server/response_head.h"
#include "agent/server/router.h"
#include "forwarders/http/message_parser.h"

namespace tideover::server {
namespace {

using http::MessageParser;
using http::Request;
using http::Response;

// An unwanted body up to this size is read and dropped, so that the connection can be kept.
constexpr std::size_t kDrainBytes = 64 << 10;
// What a client may still send after its last answer, and for how long, before it is cut off.
constexpr std::size_t kLingerBytes = 32 << 20;
constexpr Duration kLingerTime = std::chrono::seconds(5);
constexpr Duration kLingerTimeLeaving = std::chrono::milliseconds(500);  // others wait for us meanwhile

struct Session {
  Session(std::shared_ptr<Core> the_core, Socket socket)
      : core(std::move(the_core)),
        peer(peer_of(socket)),
        connection(core->connections, std::move(socket)),
        buffer(core->limits.header_bytes + 4096),
        parser(MessageParser::Kind::request, core->limits.header_bytes) {}

  const std::shared_ptr<Core> core;
  const std::string peer;
  Connection connection;
  ReadBuffer buffer;
  MessageParser parser;
  std::string head;  // of the response; kept for its memory
  std::size_t served = 0;
};

enum class HeadEnd : std::uint8_t { complete, nothing, malformed, too_large, too_slow, closed };

// A client that never sent anything gets the time of a head; one that did may come back much later.
Duration time_to_begin(const Session& s) {
  if (s.core->stopping) return kLastCall;
  return s.served > 0 ? s.core->limits.idle_time : s.core->limits.header_time;
}

// Nothing of a request has been read, so that the next image of the process can begin where this one ends.
bool may_leave(const Session& s) {
  return s.core->leaving && s.connection.socket.is_open() && s.buffer.data().empty() &&
         !s.connection.timed_out;
}

void leave(Session& s) {
  boost::system::error_code error;
  const int descriptor = s.connection.socket.release(error);
  if (!error) s.core->left.push_back(descriptor);
}

awaitable<HeadEnd> read_head(Session& s) {
  const Time start = s.core->clock.now();
  const ServerLimits& limits = s.core->limits;
  s.parser.next();
  s.connection.allow_until(start + time_to_begin(s));
  if (s.buffer.data().empty()) {
    s.connection.idle_since = start;
    s.connection.awaited_since = Time::max();
    const bool more = co_await read_more(s.connection, s.buffer);
    s.connection.idle_since = Time::max();
    if (!more) co_return may_leave(s) ? HeadEnd::nothing : HeadEnd::closed;
  }
  s.connection.awaited_since = s.core->clock.now();
  s.connection.allow_until(s.connection.awaited_since + limits.header_time);
  while (true) {
    std::size_t used = 0;
    const MessageParser::Status status = s.parser.put(s.buffer.data(), used);
    s.buffer.consume(used);
    switch (status) {
      case MessageParser::Status::head_done:
      case MessageParser::Status::done: co_return HeadEnd::complete;
      case MessageParser::Status::head_too_large: co_return HeadEnd::too_large;
      case MessageParser::Status::bad:
      case MessageParser::Status::body_too_large: co_return HeadEnd::malformed;
      case MessageParser::Status::need_more: break;
    }
    if (s.buffer.full()) co_return HeadEnd::too_large;
    const bool more = co_await read_more(s.connection, s.buffer);
    if (!more) co_return s.connection.timed_out ? HeadEnd::too_slow : HeadEnd::closed;
  }
}

std::optional<Response> refusal_of(Session& s, HeadEnd end) {
  switch (end) {
    case HeadEnd::complete:
    case HeadEnd::nothing:
    case HeadEnd::closed: break;
    case HeadEnd::malformed: return refuse(*s.core, Refusal::bad_request, s.parser.error());
    case HeadEnd::too_slow: return refuse(*s.core, Refusal::slow);
    case HeadEnd::too_large: return refuse_head_size(*s.core);
  }
  return std::nullopt;
}

std::optional<Response> refusal_of(Session& s, BodyEnd end) {
  switch (end) {
    case BodyEnd::complete:
    case BodyEnd::closed: break;
    case BodyEnd::malformed: return refuse(*s.core, Refusal::bad_request, s.parser.error());
    case BodyEnd::too_slow: return refuse(*s.core, Refusal::slow);
    case BodyEnd::too_large: return refuse(*s.core, Refusal::too_large);
    case BodyEnd::over_budget: return refuse(*s.core, Refusal::over_budget);
    case BodyEnd::gave_way: return refuse(*s.core, Refusal::gave_way);
  }
  return std::nullopt;
}

// What the head alone decides, in this order: is there such a thing, does its owner want it, is there room.
std::optional<Response> decide(Session& s, const Match& match, Charge& charge) {
  const Request& request = s.parser.request();
  if (match.route == nullptr && match.allow.empty()) return refuse_path(*s.core, request, s.connection);
  if (match.route == nullptr) return refuse_method(*s.core, match.allow);
  const std::string_view expect = request.headers.find("expect");
  if (!expect.empty() && !http::same_name(expect, "100-continue"))
    return refuse(*s.core, Refusal::expectation);
  if (match.route->check) {
    std::optional<Response> answer = match.route->check(request);
    if (answer) return answer;
  }
  return refusal_of(s, admit_body(*s.core, s.parser, charge));
}

bool expects_continue(Session& s) {
  return !s.parser.http_1_0() && !s.parser.request().headers.find("expect").empty();
}

bool has_body(const MessageParser& parser) {
  return parser.chunked() || parser.content_length().value_or(0) > 0;
}

// An exception is a fault of the handler's, and ends its own session at most.
awaitable<Response> call(Core& core, const Route& route, Request request) {
  const std::string method = request.method;
  const std::string path = route.path;
  try {
    Response response = co_await route.handle(std::move(request));
    co_return response;
  } catch (const std::exception& error) {
    core.warn(fmt::format("a handler failed: method={} path={} error=\"{}\"", method, path, error.what()));
  }
  Response response = refuse(core, Refusal::failed);
  response.headers.add("Connection", "close");
  co_return response;
}

awaitable<bool> answer(Session& s, Response response, bool bare, bool keep_alive) {
  s.head.clear();
  append_head(s.head, response, {keep_alive, s.parser.http_1_0(), s.core->date()});
  s.connection.awaited_since = s.core->clock.now();
  s.connection.allow_until(s.connection.awaited_since + s.core->limits.write_time);
  const std::string_view body = bare ? std::string_view() : std::string_view(response.body);
  const bool written = co_await write_all(s.connection, s.head, body);
  s.connection.proven = written;
  co_return written;
}

// The last answer on this connection.
awaitable<void> answer_and_leave(Session& s, Response response, bool bare) {
  s.connection.timed_out = false;  // the time for reading was over; there is one for the answer
  const bool written = co_await answer(s, std::move(response), bare, false);
  if (!written) co_return;
  s.connection.allow_until(s.core->clock.now() +
                           (s.core->leaving || s.core->stopping ? kLingerTimeLeaving : kLingerTime));
  co_await linger(s.connection, s.buffer, kLingerBytes);
}

// Reads what is left of a body that nobody wants; false when the connection cannot be kept for it.
awaitable<bool> drop_body(Session& s, std::size_t left) {
  Time start = s.core->clock.now();
  s.connection.take_excuse();
  std::size_t dropped = 0;
  while (true) {
    const std::size_t n = std::min(left - dropped, s.buffer.data().size());
    s.buffer.consume(n);
    dropped += n;
    if (dropped == left) co_return true;
    start += s.connection.take_excuse();
    s.connection.allow_until(body_deadline(s.core->limits, start, dropped));
    const bool more = co_await read_more(s.connection, s.buffer);
    if (!more) co_return false;
  }
}

// Answers a request whose body was not read; true when the connection goes on.
awaitable<bool> answer_unread(Session& s, Response response, bool bare, bool keep_alive) {
  const std::uint64_t left = s.parser.content_length().value_or(0);
  // A client that waits for "100 Continue" may send the body or not: where the next request begins is not
  // known.
  const bool drainable = !s.parser.chunked() && left <= kDrainBytes && (left == 0 || !expects_continue(s));
  if (!drainable || !keep_alive) {
    co_await answer_and_leave(s, std::move(response), bare);
    co_return false;
  }
  const bool written = co_await answer(s, std::move(response), bare, true);
  if (!written) co_return false;
  const bool dropped = co_await drop_body(s, static_cast<std::size_t>(left));
  co_return dropped;
}

struct UnderWay {
  explicit UnderWay(ServerMetrics& the_metrics) : metrics(the_metrics) { ++metrics.inflight_requests; }
  ~UnderWay() { --metrics.inflight_requests; }
  ServerMetrics& metrics;
};

// One request, from its complete head on; true when the connection goes on.
awaitable<bool> serve_request(Session& s) {
  Core& core = *s.core;
  const UnderWay under_way(core.metrics);
  s.parser.request().peer = s.peer;
  const bool bare = s.parser.request().method == "HEAD";
  const bool keep_alive = s.parser.keep_alive() && !core.stopping;
  const Match match = find_route(core.routes, s.parser.request().method, s.parser.request().target);
  Charge charge(core.bytes, s.connection);
  std::optional<Response> refusal = decide(s, match, charge);
  if (refusal) {
    const bool on = co_await answer_unread(s, std::move(*refusal), bare, keep_alive);
    co_return on;
  }

  Request request = std::move(s.parser.request());
  request.body.assign(match.route->headroom, '\0');
  if (has_body(s.parser)) {
    const bool wants_word = !s.parser.http_1_0() && request.headers.has("expect") && s.buffer.data().empty();
    if (wants_word) {
      const bool written = co_await write_all(s.connection, "HTTP/1.1 100 Continue\r\n\r\n", {});
      if (!written) co_return false;
    }
    const BodyEnd end = co_await read_body(core, s.connection, s.buffer, s.parser, charge, request.body);
    refusal = refusal_of(s, end);
    if (end != BodyEnd::complete) {      // its memory is free before its client has read why
      std::string().swap(request.body);  // an assignment would keep it
      charge.resize(0);
    }
    if (refusal) co_await answer_and_leave(s, std::move(*refusal), bare);
    if (end != BodyEnd::complete) co_return false;
  }

  s.connection.awaited_since = Time::max();  // it is the client who waits
  s.connection.allow_until(Time::max());     // a handler keeps its own deadlines
  Response response = co_await call(core, *match.route, std::move(request));
  charge.resize(0);
  const bool last = !keep_alive || core.stopping || response.headers.has("connection");
  if (last) {
    co_await answer_and_leave(s, std::move(response), bare);
    co_return false;
  }
  const bool written = co_await answer(s, std::move(response), bare, true);
  co_return written;
}

awaitable<void> serve_all(Session& s) {
  bool on = true;
  while (on) {
    if (may_leave(s)) co_return leave(s);
    const HeadEnd end = co_await read_head(s);
    if (end == HeadEnd::nothing) continue;
    std::optional<Response> refusal = refusal_of(s, end);
    if (refusal) co_await answer_and_leave(s, std::move(*refusal), false);
    if (end != HeadEnd::complete) co_return;
    on = co_await serve_request(s);
    ++s.served;
    if (s.core->stopping) co_return;
  }
}

void prepare(Socket& socket) {
  boost::system::error_code ignored;  // a unix socket has no Nagle to switch off
  socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
}

}  // namespace

awaitable<void> serve(std::shared_ptr<Core> core, Socket socket, Age age) {
  prepare(socket);
  Session session(core, std::move(socket));
  session.served = age == Age::inherited ? 1 : 0;
  session.connection.proven = age == Age::inherited;
  ++core->metrics.connections_open;
  try {
    co_await serve_all(session);
  } catch (const std::exception& error) {
    core->warn(fmt::format("a session failed: error=\"{}\"", error.what()));
  }
  --core->metrics.connections_open;
}

awaitable<void> turn_away(std::shared_ptr<Core> core, Socket socket) {
  prepare(socket);
  Connection connection(core->connections, std::move(socket));
  const Response refusal = busy("too many connections");
  std::string head;
  append_head(head, refusal, {false, false, core->date()});
  connection.allow_until(core->clock.now() + std::chrono::seconds(1));
  const bool written = co_await write_all(connection, head, refusal.body);
  if (!written) co_return;
  ReadBuffer buffer(4096);
  co_await linger(connection, buffer, 1 << 20);
}

}  // namespace tideover::server
