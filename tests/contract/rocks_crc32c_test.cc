#include <catch2/catch.hpp>
#include <dlfcn.h>
#include <string>
#include <string_view>

#include "wal/base/rng.h"
#include "wal/rocks/crc32c.h"

namespace tideover::wal {
namespace {

std::uint32_t sum(std::string_view bytes) { return extend_crc32c(0, bytes.data(), bytes.size()); }

// Bit by bit, as RFC 3720 section 12.1 defines it: the polynomial 0x11EDC6F41, reflected.
std::uint32_t by_definition(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

TEST_CASE("the checksum of the log is CRC32C") {
  // RFC 3720 appendix B.4.
  std::string rising, falling;
  for (char i = 0; i < 32; ++i) rising += i;
  for (char i = 31; i >= 0; --i) falling += i;
  CHECK(sum(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(sum(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(sum(rising) == 0x46dd794e);
  CHECK(sum(falling) == 0x113fdb5c);
  CHECK(sum("") == 0);
  Rng rng(1);
  std::string bytes;
  for (int size = 0; size < 300; ++size, bytes += static_cast<char>(rng.below(256))) {
    INFO("size " << size);
    CHECK(sum(bytes) == by_definition(bytes));
    const std::size_t cut = rng.below(bytes.size() + 1);  // in two steps, at any place
    CHECK(extend_crc32c(sum(bytes.substr(0, cut)), bytes.data() + cut, bytes.size() - cut) == sum(bytes));
  }
}

// Should a RocksDB of the future call its checksum by another name, ours would silently stand idle.
TEST_CASE("RocksDB computes its checksums with ours") {
  using Extend = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);
  constexpr const char* kName = "_ZN7rocksdb6crc32c6ExtendEjPKcm";
  const auto theirs = reinterpret_cast<Extend>(dlsym(RTLD_NEXT, kName));
  const auto in_effect = reinterpret_cast<Extend>(dlsym(RTLD_DEFAULT, kName));
  REQUIRE(theirs != nullptr);
  REQUIRE(in_effect != nullptr);
  CHECK(in_effect != theirs);
  Dl_info where{};
  REQUIRE(dladdr(reinterpret_cast<void*>(in_effect), &where) != 0);
  CHECK(std::string(where.dli_fname).find("librocksdb") == std::string::npos);
  const std::string bytes(1000, 'x');
  CHECK(in_effect(7, bytes.data(), bytes.size()) == theirs(7, bytes.data(), bytes.size()));
}

}  // namespace
}  // namespace tideover::wal
