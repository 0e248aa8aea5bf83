// Either end of a connection that sends exactly the bytes a test wants, and no others.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "forwarders/http/message_parser.h"
#include "forwarders/http/read_buffer.h"
#include "tests/support/loop.h"

namespace tideover::test {

using Socket = boost::asio::generic::stream_protocol::socket;

class RawConnection {
 public:
  explicit RawConnection(Loop& loop);

  awaitable<void> connect(std::string address);  // "127.0.0.1:port" or "unix:/path"
  awaitable<bool> secure_as_server(boost::asio::ssl::context& context);

  awaitable<bool> send(std::string bytes);    // false when the peer closed
  awaitable<http::Response> read_response();  // status 0 when the peer closed first
  awaitable<http::Request> read_request();    // no method when the peer closed first
  awaitable<void> wait_readable();            // until bytes have come, which stay where they are
  awaitable<std::string> read_to_end();       // raw bytes, until the peer closes
  void close();
  void reset();  // closes with a RST

  Socket& socket() { return socket_; }

 private:
  awaitable<bool> read_more();

  Socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
  http::ReadBuffer buffer_;
  http::MessageParser responses_;
  http::MessageParser requests_;
};

// Listens on loopback; what an accepted connection gets is the test's business.
class RawPeer {
 public:
  explicit RawPeer(Loop& loop, const std::string& address = "127.0.0.1", std::uint16_t port = 0);

  std::string port() const;
  std::string url(std::string_view path = {}) const;  // http://127.0.0.1:port
  std::string tls_url(std::string_view host = "127.0.0.1") const;
  awaitable<std::unique_ptr<RawConnection>> accept();

 private:
  Loop& loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

// "POST /in HTTP/1.1", Host, Content-Length and the body.
std::string post(std::string_view path, std::string_view body, std::string_view more_fields = {});
std::string get(std::string_view path, std::string_view more_fields = {});

}  // namespace tideover::test
