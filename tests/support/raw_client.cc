#include "tests/support/raw_client.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tideover::test {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::system::error_code;

awaitable<void> RawClient::connect(std::string address) {
  boost::asio::generic::stream_protocol::endpoint endpoint;
  if (address.rfind("unix:", 0) == 0) {
    endpoint = boost::asio::local::stream_protocol::endpoint(address.substr(5));
  } else {
    const std::size_t colon = address.rfind(':');
    endpoint = boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address(address.substr(0, colon)),
                                              static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  }
  co_await socket_.async_connect(endpoint, use_awaitable);
}

awaitable<bool> RawClient::send(std::string bytes) {
  error_code error;
  co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes), redirect_error(use_awaitable, error));
  co_return !error;
}

awaitable<http::Response> RawClient::read_response() {
  using Status = http::MessageParser::Status;
  parser_.next();
  http::Response response;
  while (true) {
    std::size_t used = 0;
    const Status status = parser_.put(buffer_.data(), used);
    buffer_.consume(used);
    if (status == Status::head_done) {
      response = parser_.response();
      parser_.body_to(&response.body, 64 << 20);
      continue;
    }
    if (status == Status::done) co_return response;
    REQUIRE(status == Status::need_more);
    error_code error;
    const std::size_t n =
        co_await socket_.async_read_some(buffer_.room(), redirect_error(use_awaitable, error));
    buffer_.commit(n);
    if (error) co_return http::Response{};
  }
}

awaitable<std::string> RawClient::read_to_end() {
  std::string all(buffer_.data());
  buffer_.consume(all.size());
  error_code error;
  while (!error) {
    const std::size_t n =
        co_await socket_.async_read_some(buffer_.room(), redirect_error(use_awaitable, error));
    buffer_.commit(n);
    all += buffer_.data();
    buffer_.consume(n);
  }
  co_return all;
}

void RawClient::close() {
  error_code ignored;
  socket_.close(ignored);
}

void RawClient::reset() {
  error_code ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  close();
}

void RawClient::send_nothing_more() {
  error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
}

std::string post(std::string_view path, std::string_view body, std::string_view more_fields) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\n{}Content-Length: {}\r\n\r\n{}", path, more_fields,
                     body.size(), body);
}

std::string get(std::string_view path, std::string_view more_fields) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, more_fields);
}

}  // namespace tideover::test
