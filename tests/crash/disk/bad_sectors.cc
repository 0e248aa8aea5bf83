#include "tests/crash/disk/bad_sectors.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tideover::disk {
namespace {

std::uint64_t now_ms() {
  // Of the machine and not of the process: several look at it.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

std::uint64_t page_down(std::uint64_t at) { return at / kPage * kPage; }
std::uint64_t page_up(std::uint64_t at) { return at > UINT64_MAX - kPage ? at : page_down(at + kPage - 1); }

std::string name_of(int fd) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(link, path.data(), path.size());
  const std::string whole(path.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  return whole.substr(whole.rfind('/') + 1);
}

}  // namespace

// Lies in memory that is shared with processes which may be killed at any instant: nothing locks it.
struct BadSectors::Entry {
  std::atomic<bool> used;  // set last
  char glob[64];           // or, when empty:
  std::uint64_t device, inode;
  std::atomic<std::uint64_t> from, to;
  std::atomic<std::uint64_t> reads_before, reads_left;
  std::uint64_t time_ms;
  std::atomic<std::uint64_t> heals_ms;  // 0: not met yet
  std::atomic<std::uint64_t> hits;

  bool of(const struct stat& info, int fd) const {
    if (glob[0] != '\0') return ::fnmatch(glob, name_of(fd).c_str(), 0) == 0;
    return device == info.st_dev && inode == info.st_ino;
  }
};

struct BadSectors::Table {
  std::atomic<std::uint32_t> count;  // of entries that were ever used
  Entry entries[1024];
};

BadSectors& BadSectors::of_process() {
  static BadSectors* const process = [] {
    const char* const file = std::getenv("TIDEOVER_DISK_BAD");
    return file == nullptr ? new BadSectors() : new BadSectors(file);
  }();
  return *process;
}

BadSectors::BadSectors()
    : table_(static_cast<Table*>(
          ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}

BadSectors::BadSectors(const std::filesystem::path& file) : table_(nullptr) {
  // Not by open(), which may be a wrapper that has come here.
  const int fd =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd < 0 || ::ftruncate(fd, sizeof(Table)) != 0)
    throw std::runtime_error("no table of bad sectors in " + file.string());
  table_ = static_cast<Table*>(::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  ::syscall(SYS_close, fd);
}

BadSectors::~BadSectors() {
  for (const auto& [id, fd] : pins_) ::close(fd);
  ::munmap(table_, sizeof(Table));
}

BadSectors::Id BadSectors::add(Entry&& wanted, Extent extent, Lasting lasting) {
  const Id id = table_->count.fetch_add(1);
  if (id >= std::size(table_->entries)) throw std::runtime_error("too many bad sectors");
  Entry& entry = table_->entries[id];
  std::memcpy(entry.glob, wanted.glob, sizeof entry.glob);
  entry.device = wanted.device;
  entry.inode = wanted.inode;
  entry.from = page_down(extent.from);
  entry.to = page_up(extent.to);
  entry.reads_before = lasting.after;
  entry.reads_left = lasting.reads;
  entry.time_ms = static_cast<std::uint64_t>(lasting.time.count());
  entry.heals_ms = 0;
  entry.hits = 0;
  entry.used = true;
  return id;
}

BadSectors::Id BadSectors::add(const std::filesystem::path& file, Extent extent, Lasting lasting) {
  const int pin = ::open(file.c_str(), O_PATH | O_CLOEXEC);
  struct stat info {};
  if (pin < 0 || ::fstat(pin, &info) != 0) throw std::runtime_error("no file " + file.string());
  Entry entry{};
  entry.device = info.st_dev;
  entry.inode = info.st_ino;
  const Id id = add(std::move(entry), extent, lasting);
  pins_[id] = pin;
  return id;
}

BadSectors::Id BadSectors::add_named(const std::string& glob, Extent extent, Lasting lasting) {
  Entry entry{};
  if (glob.empty() || glob.size() >= sizeof entry.glob) throw std::runtime_error("too long: " + glob);
  glob.copy(entry.glob, glob.size());
  return add(std::move(entry), extent, lasting);
}

void BadSectors::heal(Id id) { table_->entries[id].used = false; }

void BadSectors::clear() {
  for (std::uint32_t i = 0; i < table_->count; ++i) table_->entries[i].used = false;
  table_->count = 0;
  for (const auto& [id, fd] : pins_) ::close(fd);
  pins_.clear();
}

std::uint64_t BadSectors::hits() const {
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < table_->count; ++i) sum += table_->entries[i].hits;
  return sum;
}

std::uint64_t BadSectors::hits(Id id) const { return table_->entries[id].hits; }

// Whether it still is, without a read.
bool BadSectors::bad(Id id) const {
  const Entry& entry = table_->entries[id];
  const std::uint64_t heals_ms = entry.heals_ms;
  return entry.used && entry.reads_left > 0 && (heals_ms == 0 || now_ms() < heals_ms);
}

bool BadSectors::bad(const std::filesystem::path& file, std::uint64_t offset) const {
  const int fd = ::open(file.c_str(), O_PATH | O_CLOEXEC);
  struct stat info {};
  bool found = false;
  if (fd >= 0 && ::fstat(fd, &info) == 0)
    for (std::uint32_t i = 0; i < table_->count && !found; ++i) {
      const Entry& entry = table_->entries[i];
      found = bad(i) && entry.from <= offset && offset < entry.to && entry.of(info, fd);
    }
  if (fd >= 0) ::close(fd);
  return found;
}

// One read of it: whether it fails.
bool BadSectors::wrong(Entry& entry) {
  for (std::uint64_t before = entry.reads_before; before > 0;)
    if (entry.reads_before.compare_exchange_weak(before, before - 1)) return false;
  if (entry.time_ms != 0) {
    std::uint64_t unmet = 0;
    entry.heals_ms.compare_exchange_strong(unmet, now_ms() + entry.time_ms);
    if (now_ms() >= entry.heals_ms) return false;
  }
  std::uint64_t left = entry.reads_left;
  do {
    if (left == 0) return false;
  } while (left != kForGood && !entry.reads_left.compare_exchange_weak(left, left - 1));
  ++entry.hits;
  return true;
}

std::optional<std::uint64_t> BadSectors::readable(int fd, std::uint64_t offset, std::uint64_t size) {
  const std::uint32_t count = table_->count;
  struct stat info {};
  if (count == 0 || size == 0 || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return size;
  // Nothing is read beyond the end.
  const auto end = static_cast<std::uint64_t>(info.st_size);
  if (offset >= end) return size;
  std::uint64_t stop = size > end - offset ? end : offset + size;
  bool cut = false;
  for (Id id = 0; id < count; ++id) {
    Entry& entry = table_->entries[id];
    const std::uint64_t from = entry.from, to = entry.to;
    if (from >= stop || to <= offset || !bad(id) || !entry.of(info, fd)) continue;
    if (from <= offset) {
      if (wrong(entry)) return std::nullopt;
    } else {
      stop = from;
      cut = true;
    }
  }
  return cut ? stop - offset : size;
}

void BadSectors::written(int fd, std::uint64_t offset, std::uint64_t size) {
  const std::uint32_t count = table_->count;
  struct stat info {};
  if (count == 0 || size == 0 || ::fstat(fd, &info) != 0) return;
  const std::uint64_t first = page_down(offset), last = page_up(offset + size);
  for (Id id = 0; id < count; ++id) {
    Entry& entry = table_->entries[id];
    const std::uint64_t from = entry.from, to = entry.to;
    if (!entry.used || entry.glob[0] != '\0' || first >= to || last <= from || !entry.of(info, fd)) continue;
    if (from < first && last < to) {
      Entry behind{};
      behind.device = entry.device;
      behind.inode = entry.inode;
      add(std::move(behind), {last, to},
          {entry.reads_left, std::chrono::milliseconds(entry.time_ms), entry.reads_before});
    }
    if (from < first)
      entry.to = first;
    else if (last < to)
      entry.from = last;
    else
      entry.used = false;
  }
}

}  // namespace tideover::disk
