// Every way in which the agent, RocksDB and the C++ library read files, as functions that stand before those
// of the C library and know which sectors are bad.
//
// What they call: RocksDB pread and fread_unlocked, our readers pread and read, streams read, and
// std::filesystem's copies sendfile.
#include <cerrno>
#include <cstdio>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/crash/disk/bad_sectors.h"
#include "tests/crash/disk/real.h"

namespace tideover::disk {
namespace {

// `call` reads so many bytes.
template <class Call>
ssize_t read_at(int fd, off_t offset, size_t size, const Call& call) {
  if (offset < 0) return call(size);  // no file
  const auto good = BadSectors::of_process().readable(fd, static_cast<std::uint64_t>(offset), size);
  if (!good) {
    errno = EIO;
    return -1;
  }
  return call(*good);
}

off_t place(int fd) {
  const int before = errno;
  const off_t at = ::lseek(fd, 0, SEEK_CUR);
  errno = before;
  return at;
}

using Fread = size_t(void*, size_t, size_t, FILE*);

size_t read_stream(Fread* real, void* data, size_t size, size_t count, FILE* file) {
  const long at = ::ftell(file);
  const size_t wanted = size * count;
  if (at < 0 || wanted == 0) return real(data, size, count, file);
  BadSectors& sectors = BadSectors::of_process();
  const auto begin = static_cast<std::uint64_t>(at);
  size_t done = 0;
  while (done < wanted) {
    const auto good = sectors.readable(::fileno(file), begin + done, wanted - done);
    if (!good) {
      errno = EIO;
      file->_flags |= _IO_ERR_SEEN;  // what ferror() asks
      break;
    }
    const size_t got = real(static_cast<char*>(data) + done, 1, *good, file);
    done += got;
    if (got < *good) break;
  }
  return done / size;
}

}  // namespace
}  // namespace tideover::disk

using namespace tideover::disk;

extern "C" {

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return read_at(fd, offset, size, [&](size_t n) { return REAL(pread)(fd, data, n, offset); });
}
ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  return read_at(fd, offset, size, [&](size_t n) { return REAL(pread64)(fd, data, n, offset); });
}
ssize_t read(int fd, void* data, size_t size) {
  return read_at(fd, place(fd), size, [&](size_t n) { return REAL(read)(fd, data, n); });
}
size_t fread(void* data, size_t size, size_t count, FILE* file) {
  return read_stream(REAL(fread), data, size, count, file);
}
size_t fread_unlocked(void* data, size_t size, size_t count, FILE* file) {
  return read_stream(REAL(fread_unlocked), data, size, count, file);
}
ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  return read_at(from, offset != nullptr ? *offset : place(from), size,
                 [&](size_t n) { return REAL(sendfile)(to, from, offset, n); });
}
ssize_t sendfile64(int to, int from, off64_t* offset, size_t size) noexcept {
  return ::sendfile(to, from, offset, size);
}
}
