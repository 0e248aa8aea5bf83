// Stands between a process and the C library (LD_PRELOAD) and tells power.h what the process does to the
// files of one directory: the agent as it ships runs on a disk that forgets, RocksDB's files and its own
// alike.
//
// Everything is done on the real files first. Syncs are not passed on: the machine stays up, and what counts
// is what the model says.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/disk/power.h"
#include "tests/crash/disk/real.h"

namespace tideover::disk {
extern thread_local bool quiet;

namespace {

struct Open {
  std::string path;
  Inode inode = 0;
  bool directory = false;
};
// By file descriptor; changed under the disk's lock. Those of other files are null.
std::array<std::atomic<Open*>, 4096> table;

Power* disk() { return quiet ? nullptr : Power::instance(); }

Open* tracked(int fd) {
  return quiet || fd < 0 || static_cast<std::size_t>(fd) >= table.size() ? nullptr : table[fd].load();
}

int opened(const char* path, int directory_fd, int flags, mode_t mode) {
  Power* const power = disk();
  const std::string name = power == nullptr ? std::string() : Power::absolute(path, directory_fd);
  if (power == nullptr || !power->holds(name)) return REAL(openat)(directory_fd, path, flags, mode);
  const auto lock = power->lock();
  struct stat before {};
  const bool existed = ::lstat(name.c_str(), &before) == 0;
  if (const int error = !existed && (flags & O_CREAT) != 0 ? power->trouble(Operation::name) : 0;
      error != 0) {
    errno = error;
    return -1;
  }
  const int fd = REAL(openat)(directory_fd, path, flags, mode);
  if (fd < 0) return fd;
  struct stat info {};
  ::fstat(fd, &info);
  const bool directory = S_ISDIR(info.st_mode);
  if (static_cast<std::size_t>(fd) < table.size())
    delete table[fd].exchange(new Open{name, info.st_ino, directory});
  if (existed && (flags & O_TRUNC) != 0) power->model().truncated(info.st_ino, 0);
  if (!existed) {
    power->model().added(name, {info.st_ino, false});
    power->done(Operation::name);
  }
  return fd;
}

// The part of what is about to be overwritten that exists.
std::string bytes_before(int fd, std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  std::string before(offset >= size ? 0 : std::min(length, size - offset), '\0');
  if (!before.empty()) {
    // The descriptor may be for writing only.
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const int reader = REAL(open)(link.c_str(), O_RDONLY | O_CLOEXEC);
    if (reader >= 0) {
      [[maybe_unused]] const ssize_t got =
          REAL(pread)(reader, before.data(), before.size(), static_cast<off_t>(offset));
      REAL(close)(reader);
    }
  }
  return before;
}

template <class Call>
ssize_t written(int fd, const Open& file, std::uint64_t offset, std::uint64_t length, const Call& call) {
  Power* const power = disk();
  const auto lock = power->lock();
  if (const int error = power->trouble(Operation::write); error != 0) {
    errno = error;
    return -1;
  }
  std::string before = bytes_before(fd, offset, length, power->model().size(file.inode));
  const ssize_t done = call();
  if (done > 0) {
    power->model().written(file.inode, offset, static_cast<std::uint64_t>(done), std::move(before));
    BadSectors::of_process().written(fd, offset, static_cast<std::uint64_t>(done));
    power->done(Operation::write);
  }
  return done;
}

int synced(int fd) {
  const Open* const file = tracked(fd);
  Power* const power = disk();
  auto lock = power->lock();
  return power->sync(lock, file->inode, file->directory ? file->path : std::string()) ? 0 : -1;
}

int removed(const std::string& name, int (*call)(const char*), const char* path) {
  Power* const power = disk();
  const auto lock = power->lock();
  power->bury(name);
  const int result = call(path);
  if (result == 0) {
    power->model().removed(name);
    power->done(Operation::name);
  }
  return result;
}

}  // namespace
}  // namespace tideover::disk

using namespace tideover::disk;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0);
  va_end(more);
  return opened(path, AT_FDCWD, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0);
  va_end(more);
  return opened(path, AT_FDCWD, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = static_cast<mode_t>((flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0);
  va_end(more);
  return opened(path, directory, flags, mode);
}
int close(int fd) {
  if (tracked(fd) != nullptr) {
    const auto lock = disk()->lock();
    delete table[fd].exchange(nullptr);
    return REAL(close)(fd);
  }
  return REAL(close)(fd);
}

ssize_t write(int fd, const void* data, size_t size) {
  const Open* const file = tracked(fd);
  if (file == nullptr || file->directory) return REAL(write)(fd, data, size);
  const auto offset = static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR));
  return written(fd, *file, offset, size, [&] { return REAL(write)(fd, data, size); });
}
ssize_t writev(int fd, const iovec* parts, int count) {
  const Open* const file = tracked(fd);
  if (file == nullptr || file->directory) return REAL(writev)(fd, parts, count);
  std::uint64_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  const auto offset = static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR));
  return written(fd, *file, offset, size, [&] { return REAL(writev)(fd, parts, count); });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const Open* const file = tracked(fd);
  if (file == nullptr) return REAL(pwrite)(fd, data, size, offset);
  return written(fd, *file, static_cast<std::uint64_t>(offset), size,
                 [&] { return REAL(pwrite)(fd, data, size, offset); });
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return ::pwrite(fd, data, size, offset);
}

int fsync(int fd) { return tracked(fd) != nullptr ? synced(fd) : REAL(fsync)(fd); }
int fdatasync(int fd) { return tracked(fd) != nullptr ? synced(fd) : REAL(fdatasync)(fd); }
// A hint, and no promise.
int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags) {
  return tracked(fd) != nullptr ? 0 : REAL(sync_file_range)(fd, offset, size, flags);
}

int ftruncate(int fd, off_t size) noexcept {
  const Open* const file = tracked(fd);
  if (file == nullptr) return REAL(ftruncate)(fd, size);
  const auto lock = disk()->lock();
  const int result = REAL(ftruncate)(fd, size);
  if (result == 0 && static_cast<std::uint64_t>(size) < disk()->model().size(file->inode))
    disk()->model().truncated(file->inode, static_cast<std::uint64_t>(size));
  return result;
}
int ftruncate64(int fd, off64_t size) noexcept { return ::ftruncate(fd, size); }

int rename(const char* from, const char* to) noexcept {
  Power* const power = disk();
  const std::string source = power == nullptr ? std::string() : Power::absolute(from, AT_FDCWD);
  if (power == nullptr || !power->holds(source)) return REAL(rename)(from, to);
  const std::string target = Power::absolute(to, AT_FDCWD);
  const auto lock = power->lock();
  power->bury(source);
  power->bury(target);
  const int result = REAL(rename)(from, to);
  if (result == 0) {
    power->model().moved(source, target);
    power->done(Operation::name);
  }
  return result;
}
int link(const char* from, const char* to) noexcept {
  Power* const power = disk();
  const std::string target = power == nullptr ? std::string() : Power::absolute(to, AT_FDCWD);
  if (power == nullptr || !power->holds(target)) return REAL(link)(from, to);
  const auto lock = power->lock();
  const int result = REAL(link)(from, to);
  struct stat info {};
  if (result == 0 && ::lstat(to, &info) == 0) {
    power->model().added(target, {info.st_ino, false});
    power->done(Operation::name);
  }
  return result;
}
int unlink(const char* path) noexcept {
  const std::string name = disk() == nullptr ? std::string() : Power::absolute(path, AT_FDCWD);
  if (name.empty() || !disk()->holds(name)) return REAL(unlink)(path);
  return removed(name, REAL(unlink), path);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
  const std::string name = disk() == nullptr ? std::string() : Power::absolute(path, directory);
  if (name.empty() || !disk()->holds(name)) return REAL(unlinkat)(directory, path, flags);
  return removed(name, (flags & AT_REMOVEDIR) != 0 ? REAL(rmdir) : REAL(unlink), name.c_str());
}
int remove(const char* path) noexcept {
  const std::string name = disk() == nullptr ? std::string() : Power::absolute(path, AT_FDCWD);
  if (name.empty() || !disk()->holds(name)) return REAL(remove)(path);
  return removed(name, REAL(remove), path);
}
int rmdir(const char* path) noexcept {
  const std::string name = disk() == nullptr ? std::string() : Power::absolute(path, AT_FDCWD);
  if (name.empty() || !disk()->holds(name)) return REAL(rmdir)(path);
  return removed(name, REAL(rmdir), path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  Power* const power = disk();
  const std::string name = power == nullptr ? std::string() : Power::absolute(path, AT_FDCWD);
  if (power == nullptr || !power->holds(name)) return REAL(mkdir)(path, mode);
  const auto lock = power->lock();
  const int result = REAL(mkdir)(path, mode);
  if (result == 0) {
    power->model().added(name, {0, true});
    power->done(Operation::name);
  }
  return result;
}
}
