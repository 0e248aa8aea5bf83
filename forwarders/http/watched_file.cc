#include "forwarders/http/watched_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tideover::http {
namespace {

constexpr off_t kBytesMax = 1 << 20;  // a bundle of all public authorities has a quarter of that

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Error unreadable(const std::string& path, const std::string& why) {
  return fail(Errc::io_error, fmt::format("cannot read {}: {}", path, why));
}

}  // namespace

Result<bool> WatchedFile::refresh() {
  // Opened before it is looked at: what is read is then what was looked at, whatever is renamed meanwhile.
  const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) return unreadable(path_, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return unreadable(path_, "it is not a regular file");
  if (status.st_size > kBytesMax) return unreadable(path_, "it is larger than 1 MiB");
  const Identity identity{status.st_dev, status.st_ino, status.st_size,
                          status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
  if (identity == identity_) return false;
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < content.size()) {
    const ssize_t n = ::read(file.fd, content.data() + have, content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path_, std::strerror(errno));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have < content.size()) return unreadable(path_, "it shrank while it was read");
  identity_ = identity;
  content_ = std::move(content);
  return true;
}

}  // namespace tideover::http
