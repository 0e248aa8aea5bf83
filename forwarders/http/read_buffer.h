// What was read from a connection and not used yet; the memory is kept from one message to the next.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace tideover::http {

class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t capacity)
      : capacity_(capacity), memory_(std::make_unique_for_overwrite<char[]>(capacity)) {}

  std::string_view data() const { return {memory_.get() + begin_, end_ - begin_}; }
  bool full() const { return end_ - begin_ == capacity_; }

  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Behind the data, which moves to the front to make it as large as can be.
  boost::asio::mutable_buffer room() {
    if (begin_ > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, end_ - begin_);
      end_ -= std::exchange(begin_, 0);
    }
    return {memory_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) { end_ += n; }

 private:
  std::size_t capacity_;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tideover::http
