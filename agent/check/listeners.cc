#include "agent/check/listeners.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>

namespace tideover::check {
namespace {

using boost::asio::ip::tcp;
using config::print;

std::string why_not(const config::Address& address, int error) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format(
          "{0} is taken by another process (`ss -ltnp sport = :{1}` names it): end that one, or take "
          "another port",
          print(address), address.port);
    case EADDRNOTAVAIL:
      return fmt::format("{} is no address of this node: take one of its own, or 0.0.0.0 for all",
                         address.ip);
    case EACCES:
      return fmt::format(
          "this user may not listen on {}: take a port from 1024 on, or give the agent "
          "CAP_NET_BIND_SERVICE",
          print(address));
    default: return fmt::format("{} cannot be listened on: {}", print(address), std::strerror(error));
  }
}

}  // namespace

int try_to_bind(const config::Address& address) {
  boost::asio::io_context io;
  tcp::socket socket(io);
  boost::system::error_code error;
  const tcp::endpoint endpoint = address.endpoint();
  socket.open(endpoint.protocol(), error);
  if (!error) socket.set_option(boost::asio::socket_base::reuse_address(true), error);  // as the agent does
  if (!error) socket.bind(endpoint, error);
  return error.value();
}

Findings judge_listener(const std::string& key, const config::Address& address, int error,
                        const std::vector<config::Address>& held) {
  Findings findings;
  const bool own = error == EADDRINUSE &&
                   std::ranges::any_of(held, [&](const auto& other) { return overlap(address, other); });
  if (error != 0 && !own) findings.push_back({Level::error, key, why_not(address, error)});
  if (!is_loopback(address))
    findings.push_back(
        {Level::warning, key,
         fmt::format("{} can be reached from other nodes, and nothing asks who comes: listen on "
                     "127.0.0.1, or let a network policy decide",
                     print(address))});
  if (findings.empty())
    findings.push_back({Level::ok, key,
                        own ? fmt::format("{} is held by the agent that runs here", print(address))
                            : fmt::format("{} is free", print(address))});
  return findings;
}

}  // namespace tideover::check
