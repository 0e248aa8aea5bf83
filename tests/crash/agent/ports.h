// Ports that nobody else comes upon while their owner is away.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <random>

namespace tideover::crash {

// On 127.0.0.1 and below the range of outgoing connections: a client that tries a port of that range, which
// nobody listens on, may be given the same one as its own, and is then connected to itself.
inline std::uint16_t free_low_port() {
  using boost::asio::ip::tcp;
  std::random_device random;
  boost::asio::io_context io;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(12'000 + random() % 20'000);
    tcp::acceptor probe(io);
    boost::system::error_code error;
    probe.open(tcp::v4(), error);
    probe.bind({boost::asio::ip::address_v4::loopback(), port}, error);
    if (!error) return port;
  }
}

}  // namespace tideover::crash
