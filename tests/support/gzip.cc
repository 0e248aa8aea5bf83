#include "tests/support/gzip.h"

#include <zlib.h>

#include "wal/base/invariant.h"

namespace tideover::tail {

std::string gzip(std::string_view text) {
  z_stream stream{};
  invariant(::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
            "zlib can be given memory");
  std::string out(::deflateBound(&stream, static_cast<uLong>(text.size())) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  invariant(::deflate(&stream, Z_FINISH) == Z_STREAM_END, "all of it is compressed");
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

}  // namespace tideover::tail
