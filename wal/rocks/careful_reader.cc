#include "wal/rocks/careful_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "wal/store_directory.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

// What a device refuses, it refuses by its sector; the kernel reads by pages of 4 KiB and more.
constexpr std::size_t kPage = 4096;
// Neither blank nor, as a length or a checksum of anything on disk, ever right.
constexpr char kFilling = '\xdb';
// Bad places remembered by name; beyond that they are counted, and asked for patiently each time.
constexpr std::size_t kPlacesMax = 4096;
constexpr auto kRefill = std::chrono::minutes(1);
// How long the answer of another place is believed.
constexpr auto kAnswerHolds = std::chrono::milliseconds(500);

// EIO, and the words that file systems with checksums have for it (ext4: EBADMSG, EUCLEAN; btrfs: EILSEQ).
bool is_refusal(int error) {
  return error == EIO || error == EBADMSG || error == EUCLEAN || error == EILSEQ || error == EREMOTEIO ||
         error == ENODATA;
}

struct Descriptor {
  explicit Descriptor(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  std::uint64_t size() const {
    struct stat info {};
    return fd >= 0 && ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  }

  const int fd;
};

CarefulReader::Tried try_read(int fd, char* into, std::size_t size, std::uint64_t offset) {
  while (true) {
    const ssize_t got = ::pread(fd, into, size, static_cast<off_t>(offset));
    if (got >= 0) return {static_cast<std::size_t>(got), 0};
    if (errno != EINTR) return {0, errno};
  }
}

// From the device: what the kernel has in memory says nothing about it.
bool page_reads(int fd, std::uint64_t offset) {
  char byte;
  const auto at = static_cast<off_t>(offset);
  ::posix_fadvise(fd, at, kPage, POSIX_FADV_DONTNEED);
  return try_read(fd, &byte, 1, offset).bytes == 1;
}

}  // namespace

bool holds_unreadable(std::string_view bytes) {
  // A payload may hold such a run, too: a torn group with it is then taken for a damaged one, and its
  // records, which nobody was told of, are kept. Their sender repeats them: a duplicate, and nothing worse.
  constexpr std::size_t kRun = 64;
  std::size_t run = 0;
  for (const char byte : bytes) {
    run = byte == kFilling ? run + 1 : 0;
    if (run == kRun) return true;
  }
  return false;
}

Result<std::size_t> CarefulReader::read(const std::string& path, std::uint64_t file_size,
                                        const Attempt& attempt, char* into, std::size_t size,
                                        std::uint64_t offset) {
  size = offset < file_size ? std::min<std::uint64_t>(size, file_size - offset) : 0;
  std::size_t done = 0;
  bool by_page = false;  // an attempt at many pages says nothing of which of them is bad
  while (done < size) {
    const std::uint64_t at = offset + done;
    const std::size_t piece = std::min<std::size_t>(kPage - at % kPage, size - done);
    const Tried tried = attempt(into + done, by_page ? piece : size - done, at);
    if (tried.error == 0 && tried.bytes == 0) break;
    done += tried.bytes;
    if (tried.error == 0) continue;
    if (!is_refusal(tried.error)) return system_error(tried.error, "read " + path);
    if (!std::exchange(by_page, true)) continue;
    Tried again = ask_again(path, attempt, into + done, piece, at);
    if (again.error != 0) {
      if (!device_answers(path, file_size, at)) return system_error(again.error, "read " + path);
      again = attempt(into + done, piece, at);  // a device that was away may have come back for the others
    }
    if (again.error == 0) {
      done += again.bytes;
      continue;
    }
    std::memset(into + done, kFilling, piece);
    note({path, at, piece});
    done += piece;
  }
  return done;
}

Result<std::string> CarefulReader::read_file(const std::string& path, std::uint64_t from,
                                             std::uint64_t wanted) {
  const Descriptor file(path);
  if (file.fd < 0)
    return errno == ENOENT ? fail(Errc::not_found, path + " is not there")
                           : system_error(errno, "open " + path);
  const std::uint64_t size = file.size();
  std::string bytes(from < size ? std::min(wanted, size - from) : 0, '\0');
  const auto attempt = [&file](char* into, std::size_t count, std::uint64_t offset) {
    return try_read(file.fd, into, count, offset);
  };
  const auto got = read(path, size, attempt, bytes.data(), bytes.size(), from);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

// A place that was bad before is asked once: it may have been written anew, or have come back.
CarefulReader::Tried CarefulReader::ask_again(const std::string& path, const Attempt& attempt, char* into,
                                              std::size_t size, std::uint64_t offset) {
  Tried tried = attempt(into, size, offset);
  Clock::duration left = known(path, offset) ? Clock::duration{} : patience_;
  for (Clock::duration wait = patience_ / 64; tried.error != 0 && left > Clock::duration{}; wait *= 2) {
    const Clock::duration lent = borrow(std::min(wait, left));
    if (lent == Clock::duration{}) break;
    std::this_thread::sleep_for(lent);
    left -= lent;
    tried = attempt(into, size, offset);
  }
  return tried;
}

CarefulReader::Clock::duration CarefulReader::borrow(Clock::duration wanted) {
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (now - filled_ > kRefill) {
    filled_ = now;
    left_ = 2 * patience_;
  }
  const auto lent = std::min(wanted, left_);
  left_ -= lent;
  return lent;
}

// Other places of the file, near and far, then the first page of other files.
bool CarefulReader::device_answers(const std::string& path, std::uint64_t file_size, std::uint64_t but) {
  {
    std::lock_guard lock(mutex_);
    if (Clock::now() - answered_ < kAnswerHolds) return true;
  }
  const std::uint64_t page = but / kPage, pages = (file_size + kPage - 1) / kPage;
  const auto reads = [&] {
    if (const Descriptor file(path); file.fd >= 0)
      for (const std::uint64_t other :
           {page + 1, page - 1, page + 16, page - 16, pages - 1, std::uint64_t{0}})
        if (other != page && other < pages && page_reads(file.fd, other * kPage)) return true;
    std::error_code error;
    for (fs::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error)) {
      // What was only set aside reads as zeros without the device's help.
      const fs::path& other = it->path();
      if (other == path || other.filename() == kBallastName || !it->is_regular_file(error)) continue;
      if (const Descriptor file(other); file.fd >= 0 && page_reads(file.fd, 0)) return true;
    }
    return false;
  };
  if (!reads()) return false;
  std::lock_guard lock(mutex_);
  answered_ = Clock::now();
  return true;
}

bool CarefulReader::known(const std::string& path, std::uint64_t offset) {
  std::lock_guard lock(mutex_);
  return bad_.contains({path, offset / kPage});
}

void CarefulReader::note(Place place) {
  std::lock_guard lock(mutex_);
  if (bad_.size() < kPlacesMax && !bad_.emplace(place.path, place.offset / kPage).second) return;
  pages_.fetch_add(1, std::memory_order_relaxed);
  if (news_.size() < kPlacesMax) news_.push_back(std::move(place));
}

std::vector<CarefulReader::Place> CarefulReader::take_news() {
  std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

}  // namespace tideover::wal
