#include "wal/log_tail.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "wal/base/little_endian.h"
#include "wal/log_format.h"
#include "wal/store_directory.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSector = 512;
constexpr std::uint64_t kLookedAt = 64 * kLogBlock;

bool has_blank_sector(std::string_view log, std::size_t from, std::size_t to) {
  while (from < to) {
    const std::size_t end = std::min(to, (from / kSector + 1) * kSector);
    if (log.substr(from, end - from).find_first_not_of('\0') == std::string_view::npos) return true;
    from = end;
  }
  return false;
}

// Records of a write batch whose structure may be damaged somewhere: found by their envelopes, which hold
// their lengths. An envelope whose own fixed bytes were hit is missed.
std::uint64_t count_records(std::string_view batch) {
  std::uint64_t count = 0;
  std::size_t at = 0;
  while ((at = find_envelope(batch, at)) != std::string_view::npos) {
    ++count;
    at += envelope_extent(batch.substr(at));
  }
  return count;
}

// The log records behind the last intact one that are whole and do not check.
class TailReader {
 public:
  explicit TailReader(std::string_view log) : log_(log) {}

  LogTail read() {
    for (std::size_t at = 0; at < log_.size();) {
      const std::size_t left = kLogBlock - at % kLogBlock;
      const std::string_view here = log_.substr(at, left);
      if (here.size() < kLogHeader) {
        at += here.size();
        continue;
      }
      const std::size_t length = load_le<std::uint16_t>(here.data() + 4);
      if (kLogHeader + length > here.size()) {
        // Beyond the block: the length itself is damaged, and what the block held is not known. Beyond the
        // file: a writer that died.
        if (here.size() == left) lost_track(at, at + left);
        at += here.size();
        continue;
      }
      fragment(at, here.substr(0, kLogHeader + length));
      at += kLogHeader + length;
    }
    return tail_;
  }

 private:
  struct Record {
    std::size_t begin = 0;
    std::string data;
    bool intact = true;
  };

  void fragment(std::size_t at, std::string_view bytes) {
    const char type = bytes[6];
    const std::string_view data = bytes.substr(kLogHeader);
    const bool intact = load_le<std::uint32_t>(bytes.data()) == masked_log_crc(type, data);
    const bool first = type == kFull || type == kFirst;
    if (first || !record_) record_ = Record{at, {}, intact};
    record_->data += data;
    record_->intact = record_->intact && intact;
    if (type == kFull || type == kLast) complete(at + bytes.size());
  }

  void complete(std::size_t end) {
    const Record record = *std::exchange(record_, std::nullopt);
    if (record.intact)
      tail_ = {};  // what lies in front of an intact record is accounted for by its totals
    else
      damaged(record.begin, end, record.data);
  }

  void lost_track(std::size_t begin, std::size_t end) {
    if (record_) begin = record_->begin;
    record_.reset();
    damaged(begin, end, log_.substr(begin, end - begin));
  }

  void damaged(std::size_t begin, std::size_t end, std::string_view data) {
    if (has_blank_sector(log_, begin, end)) return;
    tail_.bytes += end - begin;
    tail_.records += count_records(data);
  }

  const std::string_view log_;
  std::optional<Record> record_;
  LogTail tail_;
};

std::optional<fs::path> newest_log(const std::string& directory) {
  std::optional<fs::path> newest;
  const auto age = [](const fs::path& log) {
    const std::string name = log.filename().string();
    return std::pair(name.size(), name);
  };
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    // RocksDB opens the next log before it writes to it.
    if (entry.path().extension() != ".log" || entry.file_size(error) == 0) continue;
    if (!newest || age(*newest) < age(entry.path())) newest = entry.path();
  }
  return newest;
}

}  // namespace

LogTail inspect_log_tail(std::string_view log) { return TailReader(log).read(); }

Result<LogTail> inspect_newest_log(const std::string& directory) {
  const auto path = newest_log(directory);
  if (!path) return LogTail{};
  const int fd = ::open(path->c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(errno, "open " + path->string());
  struct stat info {};
  ::fstat(fd, &info);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t begin = size <= kLookedAt ? 0 : (size - kLookedAt) / kLogBlock * kLogBlock;
  std::string bytes(size - begin, '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(begin));
  ::close(fd);
  if (got != static_cast<ssize_t>(bytes.size()))
    return LogTail{};  // a device that does not give it says so later
  return inspect_log_tail(bytes);
}

}  // namespace tideover::wal
