// A client that sends exactly the bytes a test wants, and no others.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <string>
#include <string_view>

#include "forwarders/http/message_parser.h"
#include "forwarders/http/read_buffer.h"
#include "tests/support/loop.h"

namespace tideover::test {

class RawClient {
 public:
  explicit RawClient(Loop& loop)
      : socket_(loop.io), buffer_(1 << 20), parser_(http::MessageParser::Kind::response, 64 << 10) {}

  awaitable<void> connect(std::string address);  // "127.0.0.1:port" or "unix:/path"
  awaitable<bool> send(std::string bytes);       // false when the peer closed
  awaitable<http::Response> read_response();     // status 0 when the peer closed first
  awaitable<std::string> read_to_end();          // raw bytes, until the peer closes
  void close();
  void reset();  // close with a RST
  void send_nothing_more();

 private:
  boost::asio::generic::stream_protocol::socket socket_;
  http::ReadBuffer buffer_;
  http::MessageParser parser_;
};

// "POST /in HTTP/1.1", Host, Content-Length and the body.
std::string post(std::string_view path, std::string_view body, std::string_view more_fields = {});
std::string get(std::string_view path, std::string_view more_fields = {});

}  // namespace tideover::test
