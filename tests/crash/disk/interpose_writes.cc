// What is written is well again: for tests that link bad sectors into themselves. Below the shipped binary
// interpose.cc does the same.
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/disk/real.h"

namespace tideover::disk {
namespace {

ssize_t written(int fd, off_t offset, ssize_t done) {
  if (offset >= 0 && done > 0)
    BadSectors::of_process().written(fd, static_cast<std::uint64_t>(offset),
                                     static_cast<std::uint64_t>(done));
  return done;
}

// Where what was just written begins, also in a file that is appended to.
off_t before(int fd, ssize_t done) {
  if (done <= 0) return -1;
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  return at < done ? -1 : at - done;
}

}  // namespace
}  // namespace tideover::disk

using namespace tideover::disk;

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  const ssize_t done = REAL(write)(fd, data, size);
  const int error = errno;
  const off_t at = before(fd, done);
  errno = error;
  return written(fd, at, done);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  const ssize_t done = REAL(writev)(fd, parts, count);
  const int error = errno;
  const off_t at = before(fd, done);
  errno = error;
  return written(fd, at, done);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return written(fd, offset, REAL(pwrite)(fd, data, size, offset));
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return written(fd, offset, REAL(pwrite64)(fd, data, size, offset));
}
}
