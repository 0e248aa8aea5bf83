#include "agent/server/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "agent/net/address.h"

namespace tideover::server {
namespace {

using boost::asio::ip::tcp;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::string_view kUnixPrefix = "unix:";

Error no_listen(const std::string& address, const std::string& words) {
  return fail(Errc::io_error, fmt::format("cannot listen on {}: {}", address, words));
}

error_code bind_to(Acceptor& acceptor, const Protocol::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && endpoint.protocol().family() != AF_UNIX)
    acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

void set_reuse_port(int descriptor, int value) {
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

error_code bind_and_listen(Acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error = bind_to(acceptor, endpoint);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  return error;
}

// The system lets two sockets overlap only where both of one user say so. Ours say so for these few calls
// alone: a second agent that is started by mistake must be told that the address is taken.
error_code bind_beside(Acceptor& acceptor, const tcp::endpoint& endpoint, std::span<const int> ours) {
  for (const int descriptor : ours) set_reuse_port(descriptor, 1);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    set_reuse_port(acceptor.native_handle(), 1);
    acceptor.bind(endpoint, error);
  }
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  for (const int descriptor : ours) set_reuse_port(descriptor, 0);
  if (!error) set_reuse_port(acceptor.native_handle(), 0);
  return error;
}

// In the words of whoever reads addresses, with the one form more that there is here.
Error not_an_address(const std::string& address, const Error& why) {
  return fail(Errc::bad_input, fmt::format("\"{}\" {}, or unix:/run/tideover.sock", address, why.detail));
}

// Where a TCP socket is bound, which must have been asked for as TCP.
tcp::endpoint bound_to(const Acceptor& acceptor, error_code& error) {
  const Protocol::endpoint generic = acceptor.local_endpoint(error);
  tcp::endpoint bound;
  if (error) return bound;
  bound.resize(generic.size());
  std::memcpy(bound.data(), generic.data(), generic.size());
  return bound;
}

Result<Listener> listen_tcp(boost::asio::io_context& io, const std::string& address,
                            std::span<const int> beside) {
  const Result<Address> wanted = parse_address(address);
  if (!wanted) return not_an_address(address, wanted.error());
  const tcp::endpoint endpoint = wanted->endpoint();
  Listener listener{Acceptor(io), address, {}, {}, 0, 0};
  error_code error = bind_and_listen(listener.acceptor, endpoint);
  if (error == boost::system::errc::address_in_use && !beside.empty()) {
    listener.acceptor = Acceptor(io);
    error = bind_beside(listener.acceptor, endpoint, beside);
  }
  if (error) return no_listen(address, error.message());
  const tcp::endpoint bound = bound_to(listener.acceptor, error);
  if (error) return no_listen(address, error.message());
  listener.address = print(bound);
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
  Listener listener{Acceptor(io), address, address, path, 0, 0};
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

bool is_unix(std::string_view address) { return address.starts_with(kUnixPrefix); }

int option_of(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_ours(const Listener& listener) {
  struct stat status {};
  return ::lstat(listener.unix_path.c_str(), &status) == 0 && status.st_dev == listener.device &&
         status.st_ino == listener.inode;
}

// The reason why an inherited socket is not the one that was asked for; empty when it is.
std::string adopt_tcp(Listener& listener, const tcp::endpoint& wanted) {
  error_code error;
  const tcp::endpoint bound = bound_to(listener.acceptor, error);
  if (error) return error.message();
  if (bound.address() != wanted.address() || (wanted.port() != 0 && bound.port() != wanted.port()))
    return "it is bound to " + print(bound);
  listener.address = print(bound);
  return {};
}

std::string adopt_unix(Listener& listener) {
  listener.unix_path = listener.asked_for.substr(kUnixPrefix.size());
  listener.address = listener.asked_for;
  sockaddr_un bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(listener.acceptor.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return std::strerror(errno);
  if (listener.unix_path != bound.sun_path) return fmt::format("it is bound to {}", bound.sun_path);
  struct stat status {};
  if (::lstat(bound.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return "its socket file is gone";
  listener.device = status.st_dev;
  listener.inode = status.st_ino;
  return {};
}

}  // namespace

void close_sockets(Sockets& sockets) {
  if (sockets.listener >= 0) ::close(std::exchange(sockets.listener, -1));
  for (const int connection : std::exchange(sockets.connections, {})) ::close(connection);
}

Result<Listener> open_listener(boost::asio::io_context& io, const std::string& address,
                               std::span<const int> beside) {
  return is_unix(address) ? listen_unix(io, address) : listen_tcp(io, address, beside);
}

Result<Listener> adopt_listener(boost::asio::io_context& io, const std::string& address, int descriptor) {
  const auto unfit = [&](const std::string& why) {
    return fail(Errc::bad_input,
                fmt::format("descriptor {} is no socket that listens on {}: {}", descriptor, address, why));
  };
  const int family = option_of(descriptor, SO_DOMAIN);
  Listener listener{Acceptor(io), address, {}, {}, 0, 0};
  error_code error;
  if (option_of(descriptor, SO_TYPE) == SOCK_STREAM)
    listener.acceptor.assign(Protocol(family, 0), descriptor, error);
  if (!listener.acceptor.is_open()) {
    ::close(descriptor);
    return unfit(error ? error.message() : "it is no stream socket");
  }
  // From here on the listener owns the descriptor, and takes it along when it is not fit.
  if (option_of(descriptor, SO_ACCEPTCONN) != 1) return unfit("it does not listen");
  if (is_unix(address) != (family == AF_UNIX)) return unfit("it is of another family");
  std::string why;
  if (family == AF_UNIX) {
    why = adopt_unix(listener);
  } else {
    const Result<Address> wanted = parse_address(address);
    if (!wanted) return not_an_address(address, wanted.error());
    why = adopt_tcp(listener, wanted->endpoint());
  }
  if (!why.empty()) return unfit(why);
  return listener;
}

int release_listener(Listener& listener) {
  if (!listener.acceptor.is_open() || (!listener.unix_path.empty() && !is_ours(listener))) return -1;
  error_code error;
  const int descriptor = listener.acceptor.release(error);
  if (error) return -1;
  listener.unix_path.clear();  // the file stays with the socket
  return descriptor;
}

void close_listener(Listener& listener) {
  error_code ignored;
  listener.acceptor.close(ignored);
  if (!listener.unix_path.empty() && is_ours(listener)) ::unlink(listener.unix_path.c_str());
}

}  // namespace tideover::server
