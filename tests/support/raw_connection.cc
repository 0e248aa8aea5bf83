#include "tests/support/raw_connection.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace tideover::test {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::asio::ip::tcp;
using boost::system::error_code;
using http::MessageParser;

constexpr std::size_t kHeadBytes = 64 << 10;
constexpr std::size_t kBodyBytes = 64 << 20;

}  // namespace

RawConnection::RawConnection(Loop& loop)
    : socket_(loop.io),
      buffer_(1 << 20),
      responses_(MessageParser::Kind::response, kHeadBytes),
      requests_(MessageParser::Kind::request, kHeadBytes) {}

awaitable<void> RawConnection::connect(std::string address) {
  boost::asio::generic::stream_protocol::endpoint endpoint;
  if (address.rfind("unix:", 0) == 0) {
    endpoint = boost::asio::local::stream_protocol::endpoint(address.substr(5));
  } else {
    const std::size_t colon = address.rfind(':');
    endpoint = tcp::endpoint(boost::asio::ip::make_address(address.substr(0, colon)),
                             static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  }
  co_await socket_.async_connect(endpoint, use_awaitable);
}

awaitable<bool> RawConnection::secure_as_server(boost::asio::ssl::context& context) {
  tls_ = std::make_unique<boost::asio::ssl::stream<Socket&>>(socket_, context);
  error_code error;
  co_await tls_->async_handshake(boost::asio::ssl::stream_base::server, redirect_error(use_awaitable, error));
  co_return !error;
}

awaitable<bool> RawConnection::send(std::string bytes) {
  error_code error;
  if (tls_)
    co_await boost::asio::async_write(*tls_, boost::asio::buffer(bytes),
                                      redirect_error(use_awaitable, error));
  else
    co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes),
                                      redirect_error(use_awaitable, error));
  co_return !error;
}

awaitable<bool> RawConnection::read_more() {
  error_code error;
  std::size_t n = 0;
  if (tls_)
    n = co_await tls_->async_read_some(buffer_.room(), redirect_error(use_awaitable, error));
  else
    n = co_await socket_.async_read_some(buffer_.room(), redirect_error(use_awaitable, error));
  buffer_.commit(n);
  co_return !error;
}

awaitable<http::Response> RawConnection::read_response() {
  responses_.next();
  http::Response response;
  while (true) {
    std::size_t used = 0;
    const MessageParser::Status status = responses_.put(buffer_.data(), used);
    buffer_.consume(used);
    if (status == MessageParser::Status::done) co_return response;
    if (status == MessageParser::Status::head_done) {
      response = responses_.response();
      responses_.body_to(&response.body, kBodyBytes);
      continue;
    }
    REQUIRE(status == MessageParser::Status::need_more);
    const bool more = co_await read_more();
    if (!more) co_return http::Response{};
  }
}

awaitable<http::Request> RawConnection::read_request() {
  requests_.next();
  http::Request request;
  while (true) {
    std::size_t used = 0;
    const MessageParser::Status status = requests_.put(buffer_.data(), used);
    buffer_.consume(used);
    if (status == MessageParser::Status::done) co_return request;
    if (status == MessageParser::Status::head_done) {
      request = requests_.request();
      requests_.body_to(&request.body, kBodyBytes);
      continue;
    }
    REQUIRE(status == MessageParser::Status::need_more);
    const bool more = co_await read_more();
    if (!more) co_return http::Request{};
  }
}

awaitable<void> RawConnection::wait_readable() {
  co_await socket_.async_wait(Socket::wait_read, use_awaitable);
}

awaitable<std::string> RawConnection::read_to_end() {
  std::string all;
  bool more = true;
  while (more) {
    all += buffer_.data();
    buffer_.consume(buffer_.data().size());
    more = co_await read_more();
  }
  all += buffer_.data();
  buffer_.consume(buffer_.data().size());
  co_return all;
}

void RawConnection::close() {
  error_code ignored;
  socket_.close(ignored);
}

void RawConnection::reset() {
  error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  close();
}

RawPeer::RawPeer(Loop& loop, const std::string& address, std::uint16_t port)
    : loop_(loop), acceptor_(loop.io, tcp::endpoint(boost::asio::ip::make_address(address), port)) {}

std::string RawPeer::port() const { return std::to_string(acceptor_.local_endpoint().port()); }

std::string RawPeer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port(), path);
}

std::string RawPeer::tls_url(std::string_view host) const {
  return fmt::format("https://{}:{}", host, port());
}

awaitable<std::unique_ptr<RawConnection>> RawPeer::accept() {
  auto connection = std::make_unique<RawConnection>(loop_);
  error_code error;
  co_await acceptor_.async_accept(connection->socket(), redirect_error(use_awaitable, error));
  co_return connection;
}

std::string post(std::string_view path, std::string_view body, std::string_view more_fields) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\n{}Content-Length: {}\r\n\r\n{}", path, more_fields,
                     body.size(), body);
}

std::string get(std::string_view path, std::string_view more_fields) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, more_fields);
}

}  // namespace tideover::test
