#include "agent/ingest/loki/inflate.h"

#include <fmt/format.h>
#include <memory>
#include <string>
#include <zlib.h>

#include "wal/base/invariant.h"

namespace tideover::ingest::loki {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

// zlib.h, inflateInit2: what frame to expect.
constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;

// RFC 1950: method 8, and a check that makes the two bytes a multiple of 31. A raw stream that begins so
// would be a stored block with bits set where every compressor writes zeros.
bool has_zlib_frame(std::string_view body) {
  if (body.size() < 2) return false;
  const unsigned first = static_cast<unsigned char>(body[0]);
  const unsigned second = static_cast<unsigned char>(body[1]);
  return (first & 15) == 8 && (first * 256 + second) % 31 == 0;
}

class Stream {
 public:
  Stream(std::string_view body, int frame) {
    // zlib only reads through the pointer.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream_.avail_in = static_cast<uInt>(body.size());
    invariant(::inflateInit2(&stream_, frame) == Z_OK, "zlib can be given memory");
  }
  ~Stream() { ::inflateEnd(&stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int next(std::string_view& piece) {
    stream_.next_out = reinterpret_cast<Bytef*>(out_.get());
    stream_.avail_out = kPieceBytes;
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    piece = {out_.get(), kPieceBytes - stream_.avail_out};
    return code;
  }
  bool all_read() const { return stream_.avail_in == 0; }
  void next_member() { ::inflateReset(&stream_); }

 private:
  z_stream stream_{};
  std::unique_ptr<char[]> out_ = std::make_unique_for_overwrite<char[]>(kPieceBytes);
};

Error too_large(std::uint64_t bytes_max) {
  return fail(Errc::too_large, fmt::format("the body holds more than {} bytes", bytes_max));
}

}  // namespace

Result<> inflate(std::string_view body, Packing packing, std::uint64_t bytes_max,
                 const std::function<Result<>(std::string_view piece)>& take) {
  if (packing == Packing::none) {
    if (body.size() > bytes_max) return too_large(bytes_max);
    return take(body);
  }
  const bool gzip = packing == Packing::gzip;
  Stream stream(body, gzip ? kGzip : has_zlib_frame(body) ? kZlib : kRaw);
  std::uint64_t bytes = 0;
  for (;;) {
    std::string_view piece;
    const int code = stream.next(piece);
    if (code != Z_OK && code != Z_STREAM_END)
      return fail(Errc::bad_input,
                  fmt::format("the body is not valid {}: {} after {} bytes of it", gzip ? "gzip" : "deflate",
                              code == Z_BUF_ERROR ? "it breaks off" : "it is damaged", bytes));
    bytes += piece.size();
    if (bytes > bytes_max) return too_large(bytes_max);
    if (!piece.empty())
      if (const Result<> taken = take(piece); !taken) return taken;
    if (code != Z_STREAM_END) continue;
    if (stream.all_read()) return {};
    if (!gzip) return fail(Errc::bad_input, "the body has something behind its deflate stream");
    stream.next_member();
  }
}

}  // namespace tideover::ingest::loki
