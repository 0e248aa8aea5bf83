#include "agent/server/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tideover::server {
namespace {

using boost::asio::ip::tcp;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::string_view kUnixPrefix = "unix:";

Error no_listen(const std::string& address, const std::string& words) {
  return fail(Errc::io_error, fmt::format("cannot listen on {}: {}", address, words));
}

// "127.0.0.1:7302" or "[::1]:7302"; names are not looked up, since what they mean may change.
std::optional<tcp::endpoint> parse_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  error_code error;
  const auto ip = boost::asio::ip::make_address(std::string(host), error);
  if (error || ip.is_v6() != bracketed) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, parse_error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (parse_error != std::errc() || end != port_text.data() + port_text.size()) return std::nullopt;
  return tcp::endpoint(ip, port);
}

error_code bind_to(Acceptor& acceptor, const Protocol::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && endpoint.protocol().family() != AF_UNIX)
    acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

Result<Listener> listen_tcp(boost::asio::io_context& io, const std::string& address) {
  const std::optional<tcp::endpoint> endpoint = parse_tcp(address);
  if (!endpoint)
    return fail(Errc::bad_input, fmt::format("\"{}\" is not an address to listen on, such as 127.0.0.1:7302, "
                                             "[::1]:7302 or unix:/run/tideover.sock",
                                             address));
  Listener listener{Acceptor(io), {}, {}, 0, 0};
  error_code error = bind_to(listener.acceptor, *endpoint);
  if (!error) listener.acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return no_listen(address, error.message());
  const Protocol::endpoint generic = listener.acceptor.local_endpoint(error);
  if (error) return no_listen(address, error.message());
  tcp::endpoint bound;
  bound.resize(generic.size());
  std::memcpy(bound.data(), generic.data(), generic.size());
  const std::string host = bound.address().to_string();
  listener.address = bound.address().is_v6() ? fmt::format("[{}]:{}", host, bound.port())
                                             : fmt::format("{}:{}", host, bound.port());
  return listener;
}

// A socket file on which nobody accepts was left by a process that died.
bool is_stale(boost::asio::io_context& io, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  stream_protocol::socket probe(io);
  error_code error;
  probe.open(stream_protocol(), error);
  if (!error) probe.non_blocking(true, error);  // a full backlog is a live server, not a reason to wait
  if (error) return false;
  return ::connect(probe.native_handle(), stream_protocol::endpoint(path).data(),
                   static_cast<socklen_t>(stream_protocol::endpoint(path).size())) != 0 &&
         errno == ECONNREFUSED;
}

Result<Listener> listen_unix(boost::asio::io_context& io, const std::string& address) {
  const std::string path = address.substr(kUnixPrefix.size());
  if (path.empty() || path.front() != '/' || path.size() >= sizeof(sockaddr_un{}.sun_path))
    return fail(Errc::bad_input, fmt::format("\"{}\" is not a socket path: it must be absolute and shorter "
                                             "than {} bytes",
                                             path, sizeof(sockaddr_un{}.sun_path)));
  Listener listener{Acceptor(io), address, path, 0, 0};
  const stream_protocol::endpoint endpoint(path);
  error_code error = bind_to(listener.acceptor, endpoint);
  if (error == boost::system::errc::address_in_use) {
    if (!is_stale(io, path)) return no_listen(address, "something else is there, or a process accepts on it");
    ::unlink(path.c_str());
    listener.acceptor.close(error);
    error = bind_to(listener.acceptor, endpoint);
  }
  if (error) return no_listen(address, error.message());
  // Nobody can connect between bind and listen, so the mode is in force before the first client.
  struct stat status {};
  if (::chmod(path.c_str(), 0600) != 0 || ::lstat(path.c_str(), &status) != 0)
    return no_listen(address, error_code(errno, boost::system::system_category()).message());
  listener.device = status.st_dev;
  listener.inode = status.st_ino;
  listener.acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return no_listen(address, error.message());
  return listener;
}

}  // namespace

Result<Listener> open_listener(boost::asio::io_context& io, const std::string& address) {
  const bool is_unix = std::string_view(address).substr(0, kUnixPrefix.size()) == kUnixPrefix;
  return is_unix ? listen_unix(io, address) : listen_tcp(io, address);
}

void close_listener(Listener& listener) {
  error_code ignored;
  listener.acceptor.close(ignored);
  if (listener.unix_path.empty()) return;
  struct stat status {};
  const bool ours = ::lstat(listener.unix_path.c_str(), &status) == 0 && status.st_dev == listener.device &&
                    status.st_ino == listener.inode;
  if (ours) ::unlink(listener.unix_path.c_str());
}

}  // namespace tideover::server
