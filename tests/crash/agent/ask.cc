#include "tests/crash/agent/ask.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tideover::crash {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<std::string> ask(std::uint16_t port, std::string target) {
  boost::system::error_code error;
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint peer(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return "";
  const std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  co_await asio::async_write(socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, error));
  std::string answer;
  co_await asio::async_read(socket, asio::dynamic_buffer(answer),
                            asio::redirect_error(asio::use_awaitable, error));
  co_return answer;
}

}  // namespace tideover::crash
