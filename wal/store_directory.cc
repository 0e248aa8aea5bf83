#include "wal/store_directory.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace tideover::wal {
namespace {

// Not LOCK: that name is RocksDB's own. The text inside is the holder's process id.
constexpr std::string_view kLockName = "/OWNER";

std::string holder_of(int fd) {
  char text[32] = {};
  const ssize_t size = ::pread(fd, text, sizeof text - 1, 0);
  long pid = 0;
  if (size <= 0 || std::from_chars(text, text + size, pid).ec != std::errc{}) return "another process";
  return fmt::format("process {}", pid);
}

// Whoever only asks holds the lock for less than one of these.
constexpr int kLockAttempts = 3;
constexpr std::chrono::milliseconds kLockPause{20};

int try_lock(int fd, int kind) { return ::flock(fd, kind | LOCK_NB) == 0 ? 0 : errno; }

// A disk that is full or broken may get well; a path that we may not use stays so until somebody acts.
Error directory_error(int error_number, std::string_view tried) {
  Error error = system_error(error_number, tried);
  if (error_number != EIO && error_number != ENOSPC && error_number != EDQUOT)
    error.code = Errc::store_refused;
  return error;
}

// A name is durable once its own directory was synced, whoever created it: an earlier life may have died
// before it came to that. Directories that we may not even open are not ours to worry about.
Result<> sync_ancestors(const std::string& path) {
  for (std::filesystem::path at = std::filesystem::absolute(path).lexically_normal();
       at.has_parent_path() && at != at.parent_path();) {
    at = at.parent_path();
    if (::access(at.c_str(), R_OK) != 0) continue;
    if (auto synced = sync_directory(at.string()); !synced) return synced;
  }
  return {};
}

}  // namespace

Result<> sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error(errno, "open " + path);
  const int reason = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  // Any other answer is that of a file system which knows no such call, and keeps names by itself.
  if (reason == EIO || reason == ENOSPC || reason == EDQUOT) return system_error(reason, "sync " + path);
  return {};
}

Result<std::vector<std::filesystem::path>> list_directory(const std::string& path) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  std::filesystem::directory_iterator it(path, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error))
    entries.push_back(it->path());
  if (error) return system_error(error.value(), "list " + path);
  return entries;
}

Result<> replace_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(errno, "create " + fresh);
  int reason = 0;
  while (reason == 0 && !bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) reason = errno;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (reason == 0 && ::fsync(fd) != 0) reason = errno;
  ::close(fd);
  // Crash before the rename: the file is as it was, and the next one writes over what is left beside it.
  if (reason == 0 && std::rename(fresh.c_str(), path.c_str()) != 0) reason = errno;
  if (reason == 0) return sync_directory(std::filesystem::path(path).parent_path().string());
  ::unlink(fresh.c_str());
  return system_error(reason, "write " + path);
}

Error system_error(int error_number, std::string_view tried) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return fail(full ? Errc::disk_full : Errc::io_error,
              fmt::format("{}: {}", tried, std::strerror(error_number)));
}

Result<> make_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return directory_error(errno, "look at " + path);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) return directory_error(error.value(), "create the parent of " + path);
    if (::mkdir(path.c_str(), 0700) != 0) return directory_error(errno, "create " + path);
    if (::stat(path.c_str(), &info) != 0) return directory_error(errno, "look at " + path);
  }
  if (!S_ISDIR(info.st_mode)) return fail(Errc::store_refused, path + " is not a directory");
  return sync_ancestors(path);
}

Result<> prepare_directory(const std::string& path) {
  if (auto made = make_directory(path); !made) return made;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return directory_error(errno, "look at " + path);
  if (info.st_uid != ::geteuid()) {
    return fail(Errc::store_refused,
                fmt::format("{0} belongs to user {1}, but the agent runs as user {2}: run "
                            "`chown -R {2} {0}`, or run the agent as user {1}",
                            path, info.st_uid, ::geteuid()));
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 && ::chmod(path.c_str(), S_IRWXU) != 0)
    return directory_error(errno, "close to others " + path);
  return {};
}

FreeSpace free_space(const std::string& path) {
  FreeSpace space;
  struct statvfs volume {};
  if (::statvfs(path.c_str(), &volume) == 0) {
    space.free_bytes = static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize;
    space.total_bytes = static_cast<std::uint64_t>(volume.f_blocks) * volume.f_frsize;
  }
  return space;
}

std::uint64_t used_bytes(const std::string& path) {
  constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks, whatever the file system's block is
  std::uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    struct stat info {};
    if (::lstat(it->path().c_str(), &info) != 0) continue;  // files come and go under a running store
    bytes += static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
  }
  return bytes;
}

std::optional<std::string> lock_holder(const std::string& directory) {
  const int fd = ::open((directory + std::string(kLockName)).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> holder;
  if (try_lock(fd, LOCK_SH) == EWOULDBLOCK) holder = holder_of(fd);
  ::close(fd);
  return holder;
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> DirectoryLock::take(const std::string& directory) {
  if (fd_ >= 0) return {};
  const std::string path = directory + std::string(kLockName);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_error(errno, "open " + path);
  int reason = 0;
  for (int left = kLockAttempts; left > 0 && (reason = try_lock(fd, LOCK_EX)) == EWOULDBLOCK; --left)
    std::this_thread::sleep_for(kLockPause);
  if (reason != 0) {
    const std::string holder = holder_of(fd);
    ::close(fd);
    if (reason != EWOULDBLOCK) return system_error(reason, "lock " + path);
    return fail(Errc::store_busy,
                fmt::format("{} is in use by {}: two agents cannot share a directory; stop that one "
                            "or give this one its own data_dir",
                            directory, holder));
  }
  // Only for people to read; on a full disk the lock holds without it.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(fd, pid.data(), pid.size(), 0);
  fd_ = fd;
  return {};
}

Ballast::Ballast(std::string directory, std::uint64_t bytes)
    : path_(std::move(directory) + "/" + std::string(kBallastName)), bytes_(bytes) {}

void Ballast::fill() {
  constexpr std::uint64_t kShare = 8;
  if (bytes_ == 0) return;
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == bytes_) return;
  const std::string directory = path_.substr(0, path_.size() - kBallastName.size() - 1);
  if (free_space(directory).free_bytes / kShare < bytes_) return;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool kept = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes_)) == 0;
  ::close(fd);
  if (!kept) drop();
}

void Ballast::drop() { ::unlink(path_.c_str()); }

std::uint64_t Ballast::held() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace tideover::wal
