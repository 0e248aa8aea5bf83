#include "agent/server/peer.h"

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

namespace tideover::server {

std::string peer_of(const Socket& socket) {
  using boost::asio::ip::tcp;
  boost::system::error_code error;
  const Protocol::endpoint generic = socket.remote_endpoint(error);
  tcp::endpoint peer;
  if (error) return "?";
  if (generic.protocol().family() == AF_UNIX || generic.size() > peer.capacity()) return "unix";
  peer.resize(generic.size());
  std::memcpy(peer.data(), generic.data(), generic.size());
  const boost::asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

}  // namespace tideover::server
