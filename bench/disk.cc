#include "bench/disk.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

namespace tideover::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

Result<void> must_be_on_disk(const fs::path& directory) {
  struct statfs info {};
  if (::statfs(directory.c_str(), &info) != 0)
    return fail(Errc::bad_input, fmt::format("{}: {}", directory.string(), std::strerror(errno)));
  if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) {
    return fail(Errc::bad_input,
                fmt::format("{} lies in memory, where a sync costs nothing: name a directory on "
                            "a disk with --dir",
                            directory.string()));
  }
  return {};
}

std::uint64_t stored_bytes(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; at != end && !error; at.increment(error)) {
    struct stat info {};  // files come and go: one that is gone counts nothing
    if (::lstat(at->path().c_str(), &info) == 0 && S_ISREG(info.st_mode))
      bytes += static_cast<std::uint64_t>(info.st_blocks) * kSectorBytes;
  }
  return bytes;
}

// The fields of Documentation/block/stat.rst: sectors written is the 7th, flush requests the 16th. A
// partition has no flushes of its own, its disk has.
DeviceCounters device_counters(const fs::path& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return {};
  std::error_code error;
  fs::path device =
      fs::canonical(fmt::format("/sys/dev/block/{}:{}", major(info.st_dev), minor(info.st_dev)), error);
  if (error) return {};
  if (fs::exists(device / "partition")) device = device.parent_path();
  std::array<std::uint64_t, 17> fields{};
  std::ifstream file(device / "stat");
  for (std::uint64_t& field : fields) file >> field;
  return {fields[15], fields[6] * kSectorBytes};
}

}  // namespace tideover::bench
