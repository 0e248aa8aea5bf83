#include "forwarders/remote_write/utf8.h"

#include <cstdint>
#include <cstring>

#include "wal/base/utf8.h"

namespace tideover::remote_write {
namespace {

// Sixteen bytes at once: a type of GCC and Clang that becomes the vector unit of any machine, or two words.
using Vector = std::uint64_t __attribute__((vector_size(16)));

template <class Word>
Word load(const char* bytes) {  // byte order does not matter: only the high bits are looked at
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

constexpr std::uint64_t kHighBits = 0x8080808080808080;

}  // namespace

bool is_ascii(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  if (left < 16) {
    if (left >= 8) return ((load<std::uint64_t>(at) | load<std::uint64_t>(at + left - 8)) & kHighBits) == 0;
    unsigned char all = 0;
    for (const char byte : text) all |= static_cast<unsigned char>(byte);
    return all < 0x80;
  }
  Vector all = load<Vector>(at + left - 16);  // the tail first: it may overlap what follows
  for (; left >= 64; at += 64, left -= 64)
    all |= (load<Vector>(at) | load<Vector>(at + 16)) | (load<Vector>(at + 32) | load<Vector>(at + 48));
  for (; left >= 16; at += 16, left -= 16) all |= load<Vector>(at);
  return ((all[0] | all[1]) & kHighBits) == 0;
}

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  while (!text.empty()) {
    const std::size_t size = utf8_length(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace tideover::remote_write
