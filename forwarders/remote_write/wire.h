// The protobuf wire format, as far as write requests need it: tags, varints, lengths.
//
// As strict and as lenient as the generated parser (tests compare them): varints of up to ten bytes, lengths
// and tags of up to five, packed and unpacked numbers, unknown fields skipped, groups only as unknown fields.
// A function that returns false has met bytes that no parser can read; what was read before is of no use.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tideover::remote_write::wire {

enum Type : std::uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroupStart = 3,
  kGroupEnd = 4,
  kFixed32 = 5
};

inline constexpr int kGroupDepthMax = 64;  // unknown groups in groups; each level costs a stack frame

constexpr std::uint32_t tag_of(std::uint32_t field, Type type) { return field << 3 | type; }
constexpr std::uint32_t field_of(std::uint32_t tag) { return tag >> 3; }
constexpr Type type_of(std::uint32_t tag) { return static_cast<Type>(tag & 7); }

inline std::uint64_t load_little_endian(const char* bytes) {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool done() const { return at_ == end_; }
  const char* at() const { return at_; }  // of the next byte, to keep fields as they came
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  void advance(std::size_t bytes) { at_ += bytes; }  // at most rest().size()

  [[nodiscard]] bool tag(std::uint32_t& out) {
    std::uint64_t wide;
    if (!varint_of_at_most(5, wide)) return false;
    out = static_cast<std::uint32_t>(wide);
    return field_of(out) != 0;
  }

  [[nodiscard]] bool varint(std::uint64_t& out) { return varint_of_at_most(10, out); }

  [[nodiscard]] bool fixed64(std::uint64_t& out) {
    if (end_ - at_ < 8) return false;
    out = load_little_endian(at_);
    at_ += 8;
    return true;
  }

  [[nodiscard]] bool bytes(std::string_view& out) {
    std::uint64_t size;
    if (!varint_of_at_most(5, size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
    out = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

  [[nodiscard]] bool skip(std::uint32_t tag, int depth = 0);

 private:
  [[nodiscard]] bool varint_of_at_most(int bytes_max, std::uint64_t& out) {
    if (at_ != end_ && static_cast<signed char>(*at_) >= 0) [[likely]] {
      out = static_cast<unsigned char>(*at_++);
      return true;
    }
    std::uint64_t value = 0;
    const char* at = at_;
    for (int i = 0; i < bytes_max && at != end_; ++i) {
      const std::uint64_t byte = static_cast<unsigned char>(*at++);
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        at_ = at;
        out = value;
        return true;
      }
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

constexpr std::int64_t zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

inline std::size_t varint_size(std::uint64_t value) {
  return static_cast<std::size_t>(std::bit_width(value | 1) + 6) / 7;
}

inline constexpr std::size_t kHeadBytesMax = 10;  // tag and length of a field, as write_head() writes them

inline char* write_varint(char* to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

// The head of a field of `size` bytes.
inline char* write_head(char* to, std::uint32_t field, std::size_t size) {
  return write_varint(write_varint(to, tag_of(field, kBytes)), size);
}

// Bytes that a field of `size` bytes takes, its head included; field numbers up to 15.
inline std::size_t field_size(std::size_t size) { return 1 + varint_size(size) + size; }

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

inline void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_varint(out, tag_of(field, kBytes));
  put_varint(out, bytes.size());
  out.append(bytes);
}

inline void put_number(std::string& out, std::uint32_t field, std::uint64_t value) {
  put_varint(out, tag_of(field, kVarint));
  put_varint(out, value);
}

}  // namespace tideover::remote_write::wire
