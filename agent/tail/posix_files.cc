#include "agent/tail/posix_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tideover::tail {
namespace {

Error refused(const std::string& path, std::string_view verb, int error) {
  const auto sentence = [&] { return fmt::format("{} cannot be {}: {}", path, verb, std::strerror(error)); };
  if (error == ENOENT || error == ENOTDIR || error == ESTALE) return fail(Errc::not_found, sentence());
  if (error == ELOOP || error == ENXIO)
    return fail(Errc::bad_input, fmt::format("{} is a link or a device, which are not read as logs", path));
  if (error == EMFILE || error == ENFILE)
    return fail(Errc::unavailable, sentence() + "; raise the limit of open files (ulimit -n)");
  if (error == EACCES)
    return fail(Errc::io_error, sentence() + "; let the agent's user or one of its groups read it");
  return fail(Errc::io_error, sentence());
}

FileInfo info_of(const struct stat& from) {
  FileInfo info;
  info.id = {static_cast<std::uint64_t>(from.st_dev), static_cast<std::uint64_t>(from.st_ino)};
  info.kind = S_ISREG(from.st_mode) ? Kind::regular : S_ISDIR(from.st_mode) ? Kind::directory : Kind::other;
  info.size = static_cast<std::uint64_t>(from.st_size);
  info.modified_ns = std::int64_t{from.st_mtim.tv_sec} * 1'000'000'000 + from.st_mtim.tv_nsec;
  info.links = static_cast<std::uint64_t>(from.st_nlink);
  return info;
}

class PosixFile final : public OpenFile {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<FileInfo> info() override {
    struct stat found {};
    if (::fstat(descriptor_, &found) != 0) return refused(path_, "looked at", errno);
    return info_of(found);
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && done == 0) return refused(path_, "read", errno);
      if (got <= 0) break;  // what came before an error is given first; the error comes again
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  const std::string path_;
  const int descriptor_;
};

}  // namespace

Result<std::vector<std::string>> PosixFiles::list(const std::string& directory, std::size_t names_max) {
  DIR* const opened = ::opendir(directory.c_str());
  if (opened == nullptr) return refused(directory, "listed", errno);
  const std::unique_ptr<DIR, int (*)(DIR*)> closes(opened, &::closedir);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(opened);
    if (entry == nullptr && errno != 0) return refused(directory, "listed", errno);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == names_max)
      return fail(Errc::too_large, fmt::format("{} has more than {} entries: read a directory with fewer",
                                               directory, names_max));
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<FileInfo> PosixFiles::look(const std::string& path) {
  struct stat found {};
  if (::fstatat(AT_FDCWD, path.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0)
    return refused(path, "looked at", errno);
  return info_of(found);
}

Result<std::unique_ptr<OpenFile>> PosixFiles::open(const std::string& path) {
  const auto not_regular = [&] {
    return fail(Errc::bad_input, fmt::format("{} is not a regular file, which alone are read as logs", path));
  };
  // To open a device may do something by itself, hence the look before. What took its place in between is
  // noticed behind it, and O_NONBLOCK has not waited for the other end of a FIFO.
  const auto seen = look(path);
  if (!seen) return seen.error();
  if (seen->kind != Kind::regular) return not_regular();
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return refused(path, "opened", errno);
  auto file = std::make_unique<PosixFile>(path, descriptor);
  const auto info = file->info();
  if (!info) return info.error();
  if (info->kind != Kind::regular) return not_regular();
  return std::unique_ptr<OpenFile>(std::move(file));
}

}  // namespace tideover::tail
