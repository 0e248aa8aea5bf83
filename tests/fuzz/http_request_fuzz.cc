// The server's own connection code on one end of a socket pair, a client that says anything on the other.
// What the client gets is whole answers of the known kinds; how its bytes were cut does not matter; and when
// it is gone nothing of it is left.
//
// Input: one byte that says how to cut, then what the client sends.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdint>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/server/core.h"
#include "forwarders/http/message_parser.h"
#include "tests/support/sim_clock.h"
#include "wal/base/invariant.h"

namespace tideover::server {
namespace {

using http::MessageParser;

struct Exchange {
  std::string answers;                // every byte that came back
  std::vector<std::string> requests;  // what the handlers were given

  bool operator==(const Exchange&) const = default;
};

std::string as_text(const http::Request& request) {
  std::string text = request.method + " " + request.target + "\n";
  for (const auto& [name, value] : request.headers.fields()) text += name + ": " + value + "\n";
  return text + "\n" + request.body;
}

awaitable<http::Response> reply(http::Response response) { co_return response; }

std::vector<Route> routes(Exchange& exchange) {
  auto take = [&exchange](http::Request request) {
    exchange.requests.push_back(as_text(request));
    return reply({200, {{"Content-Type", "text/plain"}}, std::move(request.body)});
  };
  auto only_protobuf = [](const http::Request& head) -> std::optional<http::Response> {
    if (head.headers.find("content-type") == "application/x-protobuf") return std::nullopt;
    return http::Response{415, {}, "only protobuf\n"};
  };
  return {{"POST", "/w", 8, only_protobuf, take}, {"GET", "/", 0, {}, take}, {"POST", "/", 0, {}, take}};
}

class Client {
 public:
  explicit Client(int fd) : fd_(fd) { ::fcntl(fd_, F_SETFL, O_NONBLOCK); }
  ~Client() { ::close(fd_); }

  bool send(std::string_view bytes) {  // false when the server has closed
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void say_goodbye() { ::shutdown(fd_, SHUT_WR); }
  void read_into(std::string& all) {
    char room[4096];
    for (ssize_t n = ::read(fd_, room, sizeof room); n > 0; n = ::read(fd_, room, sizeof room))
      all.append(room, static_cast<std::size_t>(n));
  }

 private:
  const int fd_;
};

Exchange converse(std::string_view bytes, std::size_t cut) {
  Exchange exchange;
  boost::asio::io_context io;
  sim::SimClock clock(io);
  ServerLimits limits;
  limits.header_bytes = 512;
  limits.body_bytes = 2048;
  limits.inflight_bytes = 4096;
  const auto core = std::make_shared<Core>(io, clock, limits, routes(exchange));
  core->warn = [](std::string_view sentence) {
    invariant(sentence.starts_with("a request came to a path that is not here"),
              "nothing else is worth a warning");
    const auto is_plain = [](char c) { return c >= ' ' && c < 0x7f; };
    invariant(sentence.size() < 1'000 && std::ranges::all_of(sentence, is_plain),
              "a line of the log can be read");
  };

  int pair[2];
  invariant(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "a socket pair can be made");
  Client client(pair[0]);
  boost::asio::co_spawn(io, serve(core, Socket(io, Protocol(AF_UNIX, 0), pair[1]), Age::newly_accepted),
                        boost::asio::detached);
  bool open = true;
  while (open && !bytes.empty()) {
    const std::size_t size = std::min(cut, bytes.size());
    open = client.send(bytes.substr(0, size));
    bytes.remove_prefix(size);
    io.restart();
    io.poll();
    client.read_into(exchange.answers);
  }
  client.say_goodbye();
  clock.run_for(std::chrono::seconds(60));  // whoever still waits for something has given up by then
  client.read_into(exchange.answers);

  invariant(core->connections.size() == 0 && core->metrics.connections_open == 0, "the connection has ended");
  invariant(core->bytes.used() == 0 && core->metrics.inflight_requests == 0, "its memory is given back");
  invariant(clock.timers() == 0, "and its timer");
  return exchange;
}

bool is_known(int status) {
  for (const int known : {100, 200, 204, 400, 404, 405, 408, 413, 415, 417, 431, 503})
    if (status == known) return true;
  return false;
}

// As a client reads them. An answer to HEAD has no body whatever its head says: the stream ends there, since
// this reader does not know which they were.
void check_answers(std::string_view answers, bool has_head_requests) {
  MessageParser parser(MessageParser::Kind::response, 4096);
  while (!answers.empty()) {
    parser.next();
    std::string body;
    parser.body_to(&body, 1 << 20);
    MessageParser::Status status = MessageParser::Status::need_more;
    do {
      std::size_t used = 0;
      status = parser.put(answers, used);
      answers.remove_prefix(used);
      if (status == MessageParser::Status::head_done)
        invariant(is_known(parser.response().status), "a known status");
    } while (status == MessageParser::Status::head_done);
    if (has_head_requests && status != MessageParser::Status::done) return;
    invariant(status == MessageParser::Status::done, "an answer is whole");
    if (parser.response().status != 100)
      invariant(!parser.response().headers.find("date").empty(), "an answer has its date");
  }
}

void check(std::string_view input) {
  const std::size_t cut = 1 + static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  const Exchange whole = converse(input, input.size() + 1);
  const bool has_head_requests = input.find("HEAD") != std::string_view::npos;
  check_answers(whole.answers, has_head_requests);
  const Exchange in_pieces = converse(input, cut);
  check_answers(in_pieces.answers, has_head_requests);
  invariant(in_pieces.requests == whole.requests, "how the bytes were cut changes no request");
}

}  // namespace
}  // namespace tideover::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 && size < 8192) tideover::server::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
