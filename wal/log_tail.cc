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
#include "wal/write_batch_format.h"

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

// Reads as RocksDB does: behind a fragment that does not check it believes nothing more of that block.
class TailReader {
 public:
  explicit TailReader(std::string_view log) : log_(log) {}

  LogTail read() {
    for (std::size_t at = 0; at < log_.size();) {
      const std::size_t next_block = (at / kLogBlock + 1) * kLogBlock;
      const auto fragment = fragment_at(at);
      if (!fragment && next_block - at >= kLogHeader) lose(at);
      at = fragment ? fragment->end : next_block;
    }
    if (record_) lose(*record_);
    return suspect_ ? lost_from(*suspect_) : LogTail{};
  }

 private:
  struct Fragment {
    char type;
    std::size_t end;
  };

  // One that is there to its end, and whose header is to be believed.
  std::optional<Fragment> framed_at(std::size_t at) const {
    const std::string_view here = log_.substr(at, kLogBlock - at % kLogBlock);
    if (here.size() < kLogHeader) return std::nullopt;
    const std::size_t end = kLogHeader + load_le<std::uint16_t>(here.data() + 4);
    if (end > here.size()) return std::nullopt;
    return Fragment{here[6], at + end};
  }

  // One that also checks and continues what stands before it.
  std::optional<Fragment> fragment_at(std::size_t at) {
    const auto fragment = framed_at(at);
    if (!fragment) return std::nullopt;
    const auto data = log_.substr(at + kLogHeader, fragment->end - at - kLogHeader);
    if (load_le<std::uint32_t>(log_.data() + at) != masked_log_crc(fragment->type, data)) return std::nullopt;
    const bool first = fragment->type == kFull || fragment->type == kFirst;
    if (!first && !record_) {  // its beginning is lost, what follows it is not
      lose(at);
      return fragment;
    }
    if (first) record_ = at;
    if (fragment->type == kFull || fragment->type == kLast) {
      record_.reset();
      suspect_.reset();  // what lies in front of an intact record is accounted for by its totals
    }
    return fragment;
  }

  void lose(std::size_t at) {
    const std::size_t begin = record_.value_or(at);
    record_.reset();
    if (!suspect_) suspect_ = begin;
  }

  LogTail lost_from(std::size_t at) const {
    LogTail lost;
    while (at < log_.size()) {
      if (kLogBlock - at % kLogBlock < kLogHeader) {
        at = (at / kLogBlock + 1) * kLogBlock;
        continue;
      }
      const std::string data = unframed(at);
      // One flip leaves one of the two to go by: the batch itself, or the headers of its fragments.
      const auto by_batch = batch_extent(data);
      const auto end = by_batch ? framed_end(at, *by_batch) : framed_end(at);
      if (!end) break;  // torn
      if (!has_blank_sector(log_, at, *end)) {
        lost.bytes += *end - at;
        lost.records += count_records(std::string_view(data).substr(0, *end - at - headers(at, *end)));
      }
      at = *end;
    }
    return lost;
  }

  // Bytes of headers in a record that stands in [begin, end): one fragment in each block it touches.
  static std::size_t headers(std::size_t begin, std::size_t end) {
    return ((end - 1) / kLogBlock - begin / kLogBlock + 1) * kLogHeader;
  }

  // The log from a fragment on without headers, as if it were one record to the end.
  std::string unframed(std::size_t at) const {
    std::string data;
    for (std::size_t left = 0; at + kLogHeader < log_.size(); at += left) {
      left = kLogBlock - at % kLogBlock;
      data += log_.substr(at + kLogHeader, left - kLogHeader);
    }
    return data;
  }

  // Where a record ends that begins at `at`: one that holds `size`, and one whose headers say how much.
  static std::optional<std::size_t> framed_end(std::size_t at, std::size_t size) {
    while (true) {
      const std::size_t room = kLogBlock - at % kLogBlock - kLogHeader;
      if (size <= room) return at + kLogHeader + size;
      size -= room;
      at += kLogHeader + room;
    }
  }
  std::optional<std::size_t> framed_end(std::size_t at) const {
    for (auto fragment = framed_at(at); fragment; fragment = framed_at(fragment->end)) {
      if (fragment->type == kFull || fragment->type == kLast) return fragment->end;
      if (fragment->end % kLogBlock != 0) return std::nullopt;  // only at the end of a block it goes on
    }
    return std::nullopt;
  }

  const std::string_view log_;
  std::optional<std::size_t> record_;   // where the one begins that is being read
  std::optional<std::size_t> suspect_;  // the first behind the last intact one that does not check
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
