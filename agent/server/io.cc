#include "agent/server/io.h"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tideover::server {
namespace {

using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::system::error_code;

}  // namespace

awaitable<std::size_t> read_some(Connection& connection, boost::asio::mutable_buffer to) {
  if (connection.timed_out) co_return 0;
  error_code error;
  connection.reading = true;
  const std::size_t n = co_await connection.socket.async_read_some(to, redirect_error(use_awaitable, error));
  connection.reading = false;
  co_return error || connection.timed_out ? 0 : n;
}

awaitable<bool> read_more(Connection& connection, ReadBuffer& buffer) {
  const std::size_t n = co_await read_some(connection, buffer.room());
  buffer.commit(n);
  co_return n > 0;
}

awaitable<bool> write_all(Connection& connection, std::string_view head, std::string_view body) {
  std::array<boost::asio::const_buffer, 2> parts = {boost::asio::buffer(head), boost::asio::buffer(body)};
  const std::size_t total = head.size() + body.size();
  error_code error;
  // An answer nearly always fits the socket's buffer: no need to suspend for it.
  const std::size_t n = connection.socket.write_some(parts, error);
  if (!error && n == total) co_return true;
  if (error && error != boost::asio::error::would_block) co_return false;
  const std::size_t of_head = std::min(n, head.size());
  parts = {parts[0] + of_head, parts[1] + (n - of_head)};
  error = {};
  co_await boost::asio::async_write(connection.socket, parts, redirect_error(use_awaitable, error));
  co_return !error && !connection.timed_out;
}

awaitable<void> linger(Connection& connection, ReadBuffer& buffer, std::size_t bytes_max) {
  error_code error;
  connection.socket.shutdown(boost::asio::socket_base::shutdown_send, error);
  buffer.consume(buffer.data().size());
  std::size_t left = bytes_max;
  while (left > 0 && !error) {
    const std::size_t n = co_await read_some(connection, buffer.room());
    if (n == 0) break;
    left -= std::min(left, n);
  }
}

}  // namespace tideover::server
