#include "tests/support/capture.h"

#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <zstd.h>

namespace tideover::test {
namespace {

// Plain bytes of a zstd file, as far as they are asked for.
class PlainReader {
 public:
  explicit PlainReader(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    if (!file_) throw std::runtime_error("cannot open " + path.string());
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, 27);
  }

  // False at the end; throws when the end comes in the middle.
  bool read(std::size_t bytes, std::string& out) {
    while (plain_.size() - used_ < bytes && fill()) {
    }
    if (plain_.size() == used_) return false;
    if (plain_.size() - used_ < bytes) throw std::runtime_error("capture ends in the middle of a request");
    out.assign(plain_, used_, bytes);
    used_ += bytes;
    return true;
  }

 private:
  bool fill() {
    if (input_.pos == input_.size) {
      file_.read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
      input_ = {packed_.data(), static_cast<std::size_t>(file_.gcount()), 0};
      if (input_.size == 0) return false;
    }
    plain_.erase(0, used_);
    used_ = 0;
    const std::size_t before = plain_.size();
    plain_.resize(before + (std::size_t{1} << 20));
    ZSTD_outBuffer output{plain_.data() + before, plain_.size() - before, 0};
    const std::size_t result = ZSTD_decompressStream(context_.get(), &output, &input_);
    if (ZSTD_isError(result) != 0) throw std::runtime_error(ZSTD_getErrorName(result));
    plain_.resize(before + output.pos);
    return true;
  }

  std::ifstream file_;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_{ZSTD_createDCtx(), &ZSTD_freeDCtx};
  std::array<char, 1 << 16> packed_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  std::string plain_;
  std::size_t used_ = 0;
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::vector<CapturedRequest> read_capture(remote_write::Version version, std::size_t requests_max) {
  const char* name =
      version == remote_write::Version::v1 ? "prometheus-rw1.capture.zst" : "prometheus-rw2.capture.zst";
  return read_capture(std::filesystem::path(TIDEOVER_TEST_DATA) / name, requests_max);
}

std::vector<CapturedRequest> read_capture(const std::filesystem::path& file, std::size_t requests_max) {
  PlainReader reader(file);
  std::vector<CapturedRequest> requests;
  std::string head;
  while (requests.size() < requests_max && reader.read(16, head)) {
    const std::string_view fields = head;
    CapturedRequest request;
    request.received_s = std::bit_cast<double>(little_endian(fields.substr(0, 8)));
    std::string header;
    reader.read(little_endian(fields.substr(8, 4)), header);
    request.content_type = header.substr(0, header.find('|'));
    reader.read(little_endian(fields.substr(12, 4)), request.body);
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace tideover::test
