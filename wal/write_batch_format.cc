#include "wal/write_batch_format.h"

#include <cstdint>

#include "wal/base/little_endian.h"

namespace tideover::wal {
namespace {

// db/write_batch.cc, db/dbformat.h: u64 sequence number, u32 count, and that many operations.
constexpr std::size_t kHeader = 12;
enum Tag : unsigned char { kDelete = 0, kPut = 1, kDeleteInFamily = 4, kPutInFamily = 5 };

class Walker {
 public:
  explicit Walker(std::string_view bytes) : bytes_(bytes) {}

  bool skip_header() { return skip(kHeader); }

  bool skip_operation() {
    if (at_ == bytes_.size()) return false;
    switch (static_cast<unsigned char>(bytes_[at_++])) {
      case kDelete: return skip_string();
      case kPut: return skip_string() && skip_string();
      case kDeleteInFamily: return skip_number() && skip_string();
      case kPutInFamily: return skip_number() && skip_string() && skip_string();
    }
    return false;
  }

  std::size_t at() const { return at_; }

 private:
  bool skip(std::size_t size) {
    if (bytes_.size() - at_ < size) return false;
    at_ += size;
    return true;
  }

  bool number(std::uint32_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 35 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      out |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool skip_number() {
    std::uint32_t ignored;
    return number(ignored);
  }

  bool skip_string() {
    std::uint32_t size;
    return number(size) && skip(size);
  }

  const std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::size_t> batch_extent(std::string_view bytes) {
  Walker walker(bytes);
  if (!walker.skip_header()) return std::nullopt;
  const auto count = load_le<std::uint32_t>(bytes.data() + 8);
  if (count == 0) return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i)
    if (!walker.skip_operation()) return std::nullopt;
  return walker.at();
}

}  // namespace tideover::wal
