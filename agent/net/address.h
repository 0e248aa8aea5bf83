// An IP address with its port, as the configuration writes it and a listener binds it: one parser, and one
// way of printing. Pure.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover {

struct Address {
  std::string ip;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;

  boost::asio::ip::tcp::endpoint endpoint() const;
};

// 127.0.0.1:7302, [::1]:7302; names are not looked up, since what they mean may change. Errors: bad_input, in
// words that go on after the text itself: "has no port: write ...".
Result<Address> parse_address(std::string_view text);

std::string print(const Address& address);
std::string print(const boost::asio::ip::tcp::endpoint& endpoint);

// No two sockets can listen on both: one port, on one IP or on one that stands for all.
bool overlap(const Address& a, const Address& b);
bool is_loopback(const Address& address);

}  // namespace tideover
