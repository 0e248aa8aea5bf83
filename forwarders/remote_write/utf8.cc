#include "forwarders/remote_write/utf8.h"

#include <cstdint>
#include <cstring>

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

// Bytes of the character that begins at `at`, 0 when there is none: table 3-7 of the Unicode standard.
std::size_t character_size(const unsigned char* at, const unsigned char* end) {
  const auto continues = [at, end](std::size_t index, unsigned low = 0x80, unsigned high = 0xbf) {
    return static_cast<std::size_t>(end - at) > index && at[index] >= low && at[index] <= high;
  };
  const unsigned char lead = at[0];
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continues(1) ? 2 : 0;
  if (lead < 0xf0) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead > 0xf4) return 0;
  const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
  return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
}

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
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = at + text.size();
  while (at != end) {
    const std::size_t size = character_size(at, end);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace tideover::remote_write
