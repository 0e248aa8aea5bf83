#include "wal/record_salvage.h"

#include <algorithm>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

// RocksDB puts its own eight bytes (sequence number and type) between our key and the value.
constexpr std::size_t kTrailerBytes = 8;
constexpr std::size_t kBeforeValue = kRecordKeyBytes + kTrailerBytes;

// Bytes that the device refuses to give read as zeros, so that what lies around them is still found.
std::string read_what_can_be_read(const std::string& path) {
  constexpr std::size_t kPiece = 4096;
  std::string bytes;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bytes;
  struct stat info {};
  if (::fstat(fd, &info) == 0) bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got == 0) break;
    at += got > 0 ? static_cast<std::size_t>(got) : std::min(kPiece - at % kPiece, bytes.size() - at);
  }
  ::close(fd);
  return bytes;
}

}  // namespace

void salvage_table(const std::string& path, const std::function<bool(LaneId, StoredRecord)>& take) {
  const std::string file = read_what_can_be_read(path);
  const std::string_view bytes = file;
  std::size_t at = kBeforeValue;
  while (at < bytes.size()) {
    at = find_envelope(bytes, at);
    if (at == std::string_view::npos) return;
    const auto key = parse_record_key(bytes.substr(at - kBeforeValue, kRecordKeyBytes));
    auto record =
        open_envelope(std::make_shared<std::string>(bytes.substr(at, envelope_extent(bytes.substr(at)))));
    if (!record || !key || key->seq != record->seq) {
      ++at;
      continue;
    }
    at += record->bytes->size() + kBeforeValue;
    if (!take(key->lane, std::move(*record))) return;
  }
}

}  // namespace tideover::wal
