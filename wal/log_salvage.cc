#include "wal/log_salvage.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "wal/base/little_endian.h"
#include "wal/log_format.h"
#include "wal/store_directory.h"

namespace tideover::wal {
namespace {

class LogReader {
 public:
  explicit LogReader(std::string_view log) : log_(log) {}

  // Records one after the other; nullopt at the end.
  std::optional<std::string> next() {
    std::optional<std::string> record;
    while (at_ < log_.size()) {
      const std::size_t left = kLogBlock - at_ % kLogBlock;
      if (left < kLogHeader) {
        at_ += left;
        continue;
      }
      const std::string_view here = log_.substr(at_, left);
      const std::size_t length = here.size() < kLogHeader ? 0 : load_le<std::uint16_t>(here.data() + 4);
      if (here.size() < kLogHeader + length) {
        // Longer than the block is damage; longer than the file is a writer that died.
        abandon(record, here.size() == left ? here.size() : 0);
        at_ += here.size();
        continue;
      }
      const char type = here[6];
      const std::string_view data = here.substr(kLogHeader, length);
      if (load_le<std::uint32_t>(here.data()) != masked_log_crc(type, data)) {
        // The length may be what is damaged, so the next block is the next place to trust.
        const bool blank = here.find_first_not_of('\0') == std::string_view::npos;
        abandon(record, blank ? 0 : here.size());
        at_ += here.size();
        continue;
      }
      at_ += kLogHeader + length;
      switch (type) {
        case kFull:
        case kFirst:
          if (record) abandon(record, 0);
          record = std::string(data);
          break;
        case kMiddle:
        case kLast:
          if (!record) {
            dropped_ += data.size();
            continue;
          }
          *record += data;
          break;
        default: abandon(record, data.size()); continue;
      }
      if (type == kFull || type == kLast) return record;
    }
    return std::nullopt;
  }

  std::uint64_t dropped() const { return dropped_; }

 private:
  void abandon(std::optional<std::string>& record, std::size_t also) {
    dropped_ += also;
    if (record && also != 0) dropped_ += record->size();
    record.reset();
  }

  std::string_view log_;
  std::size_t at_ = 0;
  std::uint64_t dropped_ = 0;
};

void append_record(std::string& log, std::string_view record) {
  bool first = true;
  do {
    std::size_t left = kLogBlock - log.size() % kLogBlock;
    if (left < kLogHeader) {
      log.append(left, '\0');
      left = kLogBlock;
    }
    const std::string_view data = record.substr(0, left - kLogHeader);
    record.remove_prefix(data.size());
    const bool last = record.empty();
    const char type = first ? (last ? kFull : kFirst) : (last ? kLast : kMiddle);
    append_le(log, masked_log_crc(type, data));
    append_le(log, static_cast<std::uint16_t>(data.size()));
    log.push_back(type);
    log += data;
    first = false;
  } while (!record.empty());
}

Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error(errno, "open " + path);
  struct stat info {};
  std::string bytes;
  if (::fstat(fd, &info) == 0) bytes.resize(static_cast<std::size_t>(info.st_size));
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got == 0) break;
    // What the device refuses reads as zeros that no checksum fits.
    at +=
        got > 0 ? static_cast<std::size_t>(got) : std::min<std::size_t>(4096 - at % 4096, bytes.size() - at);
  }
  ::close(fd);
  return bytes;
}

Result<> write_synced(const std::string& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(errno, "create " + path);
  int reason = 0;
  while (reason == 0 && !bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) reason = errno;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (reason == 0 && ::fsync(fd) != 0) reason = errno;
  ::close(fd);
  if (reason == 0) return {};
  ::unlink(path.c_str());
  return system_error(reason, "write " + path);
}

}  // namespace

Result<std::uint64_t> read_log(const std::string& path, const std::function<bool(std::string_view)>& take) {
  const auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  LogReader reader(*bytes);
  while (const auto record = reader.next())
    if (!take(*record)) break;
  return reader.dropped();
}

Result<LogSalvage> salvage_log(const std::string& path, const std::string& lost_directory) {
  LogSalvage outcome;
  std::string clean;
  const auto dropped = read_log(path, [&](std::string_view record) {
    append_record(clean, record);
    ++outcome.kept_records;
    return true;
  });
  if (!dropped) return dropped.error();
  outcome.dropped_bytes = *dropped;
  if (outcome.dropped_bytes == 0) return outcome;

  const std::string fresh = path + ".clean";
  if (auto written = write_synced(fresh, clean); !written) return written.error();
  ::mkdir(lost_directory.c_str(), 0700);
  const std::string kept = lost_directory + "/" + std::filesystem::path(path).filename().string();
  ::unlink(kept.c_str());
  // Crash after the link: the log has two names and is repaired again. Crash after the rename: done.
  if (::link(path.c_str(), kept.c_str()) != 0) return system_error(errno, "keep " + path);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return system_error(errno, "replace " + path);
  return outcome;
}

}  // namespace tideover::wal
