// Reading and writing one connection: each verb ends by the connection's deadline, and says whether to go on.
//
// False means that the connection is of no more use: closed by the peer, broken, or timed out.
#pragma once

#include <boost/asio/buffer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "agent/server/connections.h"

namespace tideover::server {

// What was read and not used yet; the memory is kept from one request to the next.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t capacity)
      : capacity_(capacity), memory_(std::make_unique_for_overwrite<char[]>(capacity)) {}

  std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool full() const { return begin_ == 0 && end_ == capacity_; }
  void consume(std::size_t n);
  boost::asio::mutable_buffer room();  // behind the data, which moves to the front for it
  void commit(std::size_t n) { end_ += n; }

 private:
  std::size_t capacity_;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

awaitable<bool> read_more(Connection& connection, ReadBuffer& buffer);

// Reads some bytes into `to`; 0 is the end.
awaitable<std::size_t> read_some(Connection& connection, boost::asio::mutable_buffer to);

// One write for head and body where the socket takes them.
awaitable<bool> write_all(Connection& connection, std::string_view head, std::string_view body);

// Says goodbye so that the last answer arrives: a close with unread input makes the kernel send a reset, which
// discards what the peer has not read yet. Bounded in time by the deadline and in bytes.
awaitable<void> linger(Connection& connection, ReadBuffer& buffer, std::size_t bytes_max);

}  // namespace tideover::server
