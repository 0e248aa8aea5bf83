// Bytes of a message being written: room is handed out for a plain pointer, and growing zeroes nothing.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

namespace tideover::remote_write {

class OutBuffer {
 public:
  void clear() { size_ = 0; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // At least `bytes` of room behind what is written; valid until the next call.
  char* room_for(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  // Everything up to `end`, inside the room asked for last, is written.
  void written_to(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  void append(std::string_view bytes) { written_to(append_to(room_for(bytes.size()), bytes)); }

  static char* append_to(char* to, std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
  }

 private:
  void grow(std::size_t bytes) {
    capacity_ = std::max(2 * capacity_, size_ + bytes + 4096);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tideover::remote_write
