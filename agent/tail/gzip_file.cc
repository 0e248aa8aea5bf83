#include "agent/tail/gzip_file.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <zlib.h>

#include "wal/base/invariant.h"
#include "wal/base/little_endian.h"

namespace tideover::tail {
namespace {

constexpr std::size_t kInputBytes = 64 * 1024;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h, inflateInit2

}  // namespace

class GzipFile::Inflater {
 public:
  Inflater() { invariant(::inflateInit2(&stream_, kGzipOnly) == Z_OK, "zlib can be given memory"); }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void rewind() {
    ::inflateReset(&stream_);
    stream_.avail_in = 0;
    taken_ = 0;
    ended_ = between_ = false;
  }

  // 0: at the end. An error without a system's cause is bad_input, and `taken` says where.
  Result<std::size_t> inflate_some(OpenFile& from, std::span<char> into) {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out == into.size() && !ended_) {
      if (stream_.avail_in == 0) {
        const auto got = from.read(taken_, input_);
        if (!got) return got.error();
        if (*got == 0 && between_) ended_ = true;
        if (*got == 0 && !between_) return fail(Errc::bad_input, "it ends in the midst of its data");
        taken_ += *got;
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(*got);
        continue;
      }
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        ::inflateReset(&stream_);
        between_ = true;
      } else if (status == Z_OK) {
        // A header alone gives nothing: whether a further member has begun is known by what it gives.
        if (stream_.avail_out != into.size()) between_ = false;
      } else if (between_ && stream_.avail_out == into.size()) {
        ended_ = true;  // no member, but what was left behind the last one
      } else {
        return fail(Errc::bad_input, stream_.msg != nullptr ? stream_.msg : "its data cannot be inflated");
      }
    }
    return into.size() - stream_.avail_out;
  }

  std::uint64_t consumed() const { return taken_ - stream_.avail_in; }

 private:
  z_stream stream_{};
  std::array<char, kInputBytes> input_;
  std::uint64_t taken_ = 0;  // of the compressed file
  bool between_ = false;     // behind a member, and no other has given anything
  bool ended_ = false;
};

GzipFile::GzipFile(std::unique_ptr<OpenFile> compressed)
    : compressed_(std::move(compressed)), inflater_(std::make_unique<Inflater>()) {}

GzipFile::~GzipFile() = default;

Result<std::uint32_t> GzipFile::claimed_size(OpenFile& compressed) {
  std::array<char, 4> end{};
  const auto info = compressed.info();
  if (!info) return info.error();
  const auto got = compressed.read(info->size - std::min<std::uint64_t>(info->size, end.size()), end);
  if (!got) return got.error();
  return load_le<std::uint32_t>(end.data());
}

Result<FileInfo> GzipFile::info() { return compressed_->info(); }

void GzipFile::rewind() {
  inflater_->rewind();
  at_ = 0;
  damage_.reset();
}

Result<std::size_t> GzipFile::next(std::span<char> into) {
  if (damage_) return 0;
  const auto got = inflater_->inflate_some(*compressed_, into);
  if (!got && got.error().code != Errc::bad_input) return got.error();
  if (!got) {
    const auto info = compressed_->info();
    const std::uint64_t size = info ? info->size : inflater_->consumed();
    damage_ = Damage{got.error().detail, size - std::min(size, inflater_->consumed())};
    return 0;
  }
  at_ += *got;
  return *got;
}

Result<std::size_t> GzipFile::read(std::uint64_t offset, std::span<char> into) {
  if (into.empty()) return 0;
  if (offset < at_) rewind();
  while (at_ < offset) {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), offset - at_));
    const auto skipped = next(into.subspan(0, part));
    if (!skipped) return skipped.error();
    if (*skipped == 0) return 0;
  }
  std::size_t done = 0;
  while (done < into.size()) {
    const auto got = next(into.subspan(done));
    if (!got && done == 0) return got.error();
    if (!got || *got == 0) break;
    done += *got;
  }
  return done;
}

}  // namespace tideover::tail
