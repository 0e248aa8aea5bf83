#include "agent/net/address.h"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <fmt/format.h>

namespace tideover {
namespace {

namespace ip = boost::asio::ip;

// ::ffff:127.0.0.1 is 127.0.0.1
ip::address plain(const Address& address) {
  boost::system::error_code error;
  const ip::address parsed = ip::make_address(address.ip, error);
  return parsed.is_v6() && parsed.to_v6().is_v4_mapped()
             ? ip::address(ip::make_address_v4(ip::v4_mapped, parsed.to_v6()))
             : parsed;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [](std::string_view why) {
    return fail(Errc::bad_input, fmt::format("{}: write 127.0.0.1:7302, 0.0.0.0:7302 or [::1]:7302", why));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  const std::string_view port_text = text.substr(colon + 1);
  std::string_view ip_text = text.substr(0, colon);
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (fault != std::errc{} || end != port_text.data() + port_text.size())
    return wrong("has no port between 0 and 65535");
  const bool brackets = ip_text.starts_with('[') && ip_text.ends_with(']');
  if (brackets) ip_text = ip_text.substr(1, ip_text.size() - 2);
  boost::system::error_code error;
  const ip::address parsed = ip::make_address(std::string(ip_text), error);
  if (error || parsed.is_v6() != brackets) return wrong("does not begin with an IP address");
  return Address{parsed.to_string(), port};
}

ip::tcp::endpoint Address::endpoint() const {
  boost::system::error_code error;
  return {ip::make_address(ip, error), port};
}

std::string print(const Address& address) {
  const bool v6 = address.ip.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address.ip, address.port)
            : fmt::format("{}:{}", address.ip, address.port);
}

std::string print(const ip::tcp::endpoint& endpoint) {
  return print(Address{endpoint.address().to_string(), endpoint.port()});
}

bool overlap(const Address& a, const Address& b) {
  const ip::address first = plain(a);
  const ip::address second = plain(b);
  return a.port != 0 && a.port == b.port &&
         (first == second || first.is_unspecified() || second.is_unspecified());
}

bool is_loopback(const Address& address) { return plain(address).is_loopback(); }

}  // namespace tideover
