#include "forwarders/remote_write/snappy.h"

#include <fmt/format.h>
#include <memory>
#include <snappy.h>

namespace tideover::remote_write {
namespace {

// The densest element is a copy of 64 bytes in 3: no honest block declares more than its bytes can yield, so
// a dozen bytes cannot ask for megabytes of memory.
constexpr std::size_t kExpansionMax = 22;

}  // namespace

Result<std::size_t> declared_size(std::string_view compressed) {
  std::size_t size = 0;
  if (!::snappy::GetUncompressedLength(compressed.data(), compressed.size(), &size))
    return fail(Errc::bad_input, "the body is not a snappy block: it declares no length");
  return size;
}

Result<> decompress(std::string_view compressed, std::size_t max_bytes, std::string& out) {
  const Result<std::size_t> size = declared_size(compressed);
  if (!size) return size.error();
  if (*size > max_bytes)
    return fail(Errc::too_large,
                fmt::format("the body declares {} bytes, more than {} are not taken", *size, max_bytes));
  if (*size > compressed.size() * kExpansionMax)
    return fail(Errc::bad_input, "the body is not a valid snappy block: it declares more than it can hold");
  out.resize(*size);
  if (!::snappy::RawUncompress(compressed.data(), compressed.size(), out.data()))
    return fail(Errc::bad_input, "the body is not a valid snappy block");
  return {};
}

void compress(std::string_view raw, std::string& out) {
  // As large as the worst case, but not zeroed: of a large message only what it comes to is ever touched.
  const auto block = std::make_unique_for_overwrite<char[]>(::snappy::MaxCompressedLength(raw.size()));
  std::size_t size = 0;
  ::snappy::RawCompress(raw.data(), raw.size(), block.get(), &size);
  out.assign(block.get(), size);
}

}  // namespace tideover::remote_write
