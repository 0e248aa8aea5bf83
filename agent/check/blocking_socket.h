// A connection of a command: every step waits, and ends by its deadline. The agent itself never uses it.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wal/base/result.h"

namespace tideover::check {

using Deadline = std::chrono::steady_clock::time_point;

class BlockingSocket {
 public:
  // Errors: connect_failed, timeout. A look-up of `host` takes as long as the resolver takes.
  static Result<BlockingSocket> connect_tcp(const std::string& host, std::uint16_t port, Deadline deadline);
  static Result<BlockingSocket> connect_unix(const std::string& path, Deadline deadline);

  BlockingSocket(BlockingSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), peer_(std::move(other.peer_)) {}
  BlockingSocket& operator=(BlockingSocket&&) = delete;
  ~BlockingSocket();

  // Errors: timeout, connection_lost.
  Result<> send_all(std::string_view bytes, Deadline deadline);
  Result<std::size_t> receive(std::span<char> into, Deadline deadline);  // 0: the peer has closed

  // Errors: timeout. `events` as for poll(2).
  Result<> wait_for(short events, Deadline deadline) const;

  int fd() const { return fd_; }                     // non-blocking
  const std::string& peer() const { return peer_; }  // the address that answered

 private:
  explicit BlockingSocket(int fd) : fd_(fd) {}
  Result<> connect(const void* address, std::size_t size, Deadline deadline);

  int fd_ = -1;
  std::string peer_;
};

}  // namespace tideover::check
