#include "agent/check/blocking_socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tideover::check {
namespace {

std::string words_of(int error) { return std::strerror(error); }

std::string address_text(const addrinfo& entry) {
  char host[NI_MAXHOST] = {};
  if (::getnameinfo(entry.ai_addr, entry.ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0)
    return "?";
  return host;
}

int open_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

}  // namespace

BlockingSocket::~BlockingSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> BlockingSocket::wait_for(short events, Deadline deadline) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{fd_, events, 0};
    const int ready =
        ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Errc::connection_lost, words_of(errno));
    if (std::chrono::steady_clock::now() >= deadline) return fail(Errc::timeout, "no answer in time");
  }
}

Result<> BlockingSocket::connect(const void* address, std::size_t size, Deadline deadline) {
  if (fd_ < 0) return fail(Errc::connect_failed, words_of(errno));
  if (::connect(fd_, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) == 0) return {};
  if (errno != EINPROGRESS) return fail(Errc::connect_failed, words_of(errno));
  if (auto waited = wait_for(POLLOUT, deadline); !waited) return waited;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return fail(Errc::connect_failed, words_of(error));
  return {};
}

Result<BlockingSocket> BlockingSocket::connect_unix(const std::string& path, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(Errc::connect_failed, "the path is too long for a socket");
  path.copy(address.sun_path, path.size());
  BlockingSocket socket(open_socket(AF_UNIX));
  if (auto connected = socket.connect(&address, sizeof address, deadline); !connected)
    return connected.error();
  socket.peer_ = path;
  return socket;
}

Result<BlockingSocket> BlockingSocket::connect_tcp(const std::string& host, std::uint16_t port,
                                                   Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return fail(Errc::connect_failed,
                fmt::format("the name {} is not resolved: {}", host, ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Error last = fail(Errc::connect_failed, "the name has no address");
  for (const addrinfo* entry = addresses.get(); entry != nullptr; entry = entry->ai_next) {
    BlockingSocket socket(open_socket(entry->ai_family));
    auto connected = socket.connect(entry->ai_addr, entry->ai_addrlen, deadline);
    if (connected) {
      socket.peer_ = address_text(*entry);
      return socket;
    }
    last =
        fail(connected.error().code, fmt::format("{}: {}", address_text(*entry), connected.error().detail));
  }
  return last;
}

Result<> BlockingSocket::send_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      if (auto waited = wait_for(POLLOUT, deadline); !waited) return waited;
    } else {
      return fail(Errc::connection_lost, words_of(errno));
    }
  }
  return {};
}

Result<std::size_t> BlockingSocket::receive(std::span<char> into, Deadline deadline) {
  for (;;) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EAGAIN && errno != EINTR) return fail(Errc::connection_lost, words_of(errno));
    if (auto waited = wait_for(POLLIN, deadline); !waited) return waited.error();
  }
}

}  // namespace tideover::check
