// Bodies as clients pack them.
#pragma once

#include <string>
#include <string_view>
#include <zlib.h>

#include "wal/base/invariant.h"

namespace tideover::test {

// window_bits as deflateInit2 has them: +16 gzip, positive zlib, negative raw.
inline std::string packed(std::string_view text, int window_bits) {
  z_stream stream{};
  invariant(
      ::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK,
      "zlib can be given memory");
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  invariant(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "the room is large enough");
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

inline std::string gzipped(std::string_view text) { return packed(text, 16 + MAX_WBITS); }

}  // namespace tideover::test
