#include "bench/idle.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <thread>

namespace tideover::bench {

Result<void> stay_connected(std::uint16_t port, std::uint32_t connections, std::chrono::seconds duration) {
  namespace asio = boost::asio;
  asio::io_context io;
  std::deque<asio::ip::tcp::socket> sockets;
  for (std::uint32_t i = 0; i < connections; ++i) {
    boost::system::error_code error;
    sockets.emplace_back(io).connect({asio::ip::address_v4::loopback(), port}, error);
    if (error) return fail(Errc::connect_failed, error.message());
  }
  std::this_thread::sleep_for(duration);
  return {};
}

}  // namespace tideover::bench
