#include "wal/rocks/crc32c.h"

#include <cstring>
#include <dlfcn.h>

#include "wal/base/invariant.h"
#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace tideover::wal {
namespace {

using Extend = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);

template <class Word>
Word load(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

#if defined(__x86_64__)

bool has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::uint32_t crc, const char* bytes,
                                                               std::size_t size) {
  std::uint64_t sum = ~crc;
  for (; size >= 8; bytes += 8, size -= 8) sum = _mm_crc32_u64(sum, load<std::uint64_t>(bytes));
  auto tail = static_cast<std::uint32_t>(sum);
  for (; size > 0; ++bytes, --size) tail = _mm_crc32_u8(tail, load<std::uint8_t>(bytes));
  return ~tail;
}

#elif defined(__aarch64__)

bool has_instruction() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

__attribute__((target("+crc"))) std::uint32_t by_instruction(std::uint32_t crc, const char* bytes,
                                                             std::size_t size) {
  std::uint32_t sum = ~crc;
  for (; size >= 8; bytes += 8, size -= 8) sum = __crc32cd(sum, load<std::uint64_t>(bytes));
  for (; size > 0; ++bytes, --size) sum = __crc32cb(sum, load<std::uint8_t>(bytes));
  return ~sum;
}

#else

bool has_instruction() { return false; }
std::uint32_t by_instruction(std::uint32_t crc, const char*, std::size_t) { return crc; }

#endif

// The definition that ours hides. Only a library can be looked up so; where RocksDB is linked in statically
// two definitions of one name would have met at link time already.
Extend by_library() {
  void* const found = dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
  invariant(found != nullptr, "RocksDB has the checksum of its log");
  return reinterpret_cast<Extend>(found);
}

Extend choose() { return has_instruction() ? by_instruction : by_library(); }

}  // namespace

std::uint32_t extend_crc32c(std::uint32_t crc, const char* bytes, std::size_t size) {
  static const Extend extend = choose();
  return extend(crc, bytes, size);
}

}  // namespace tideover::wal

// Called by the library. No header of RocksDB declares it: it is found by its name alone, which the test of
// this file watches.
namespace rocksdb::crc32c {

std::uint32_t Extend(std::uint32_t crc, const char* bytes, std::size_t size);
std::uint32_t Extend(std::uint32_t crc, const char* bytes, std::size_t size) {
  return tideover::wal::extend_crc32c(crc, bytes, size);
}

}  // namespace rocksdb::crc32c
