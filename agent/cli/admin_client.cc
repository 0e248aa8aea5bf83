#include "agent/cli/admin_client.h"

#include <array>
#include <fmt/format.h>

#include "agent/check/blocking_socket.h"
#include "forwarders/http/message_parser.h"

namespace tideover::cli {
namespace {

constexpr std::size_t kHeadBytesMax = 16 << 10;
constexpr std::size_t kBodyBytesMax = 16 << 20;  // a status answer is a few kilobytes

Result<AdminAnswer> read_answer(check::BlockingSocket& socket, check::Deadline deadline) {
  using Status = http::MessageParser::Status;
  http::MessageParser parser(http::MessageParser::Kind::response, kHeadBytesMax);
  AdminAnswer answer;
  parser.body_to(&answer.body, kBodyBytesMax);
  std::array<char, 16384> buffer;
  for (;;) {
    const auto got = socket.receive(buffer, deadline);
    if (!got) return got.error();
    std::string_view input(buffer.data(), *got);
    Status state = input.empty() ? parser.put_eof() : Status::need_more;
    while (!input.empty() && state != Status::done) {
      std::size_t used = 0;
      state = parser.put(input, used);
      input.remove_prefix(used);
      if (state == Status::body_too_large || state == Status::head_too_large)
        return fail(Errc::too_large, "the answer is larger than any of an agent");
      if (state == Status::bad) return fail(Errc::bad_input, "the answer is not HTTP: " + parser.error());
    }
    if (state == Status::done) {
      answer.status = parser.response().status;
      return answer;
    }
    if (*got == 0)
      return fail(Errc::connection_lost, "the connection was closed in the middle of the answer");
  }
}

}  // namespace

std::string AdminTarget::name() const {
  if (!socket_path.empty()) return socket_path;
  return fmt::format("http://{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]", port);
}

Result<AdminAnswer> ask_admin(const AdminTarget& target, const std::string& method, const std::string& path,
                              std::chrono::milliseconds patience) {
  const check::Deadline deadline = std::chrono::steady_clock::now() + patience;
  auto socket = target.socket_path.empty()
                    ? check::BlockingSocket::connect_tcp(target.host, target.port, deadline)
                    : check::BlockingSocket::connect_unix(target.socket_path, deadline);
  if (!socket) return socket.error();
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: tideover\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path);
  if (auto sent = socket->send_all(request, deadline); !sent) return sent.error();
  return read_answer(*socket, deadline);
}

}  // namespace tideover::cli
