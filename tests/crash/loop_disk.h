// A real file system, small enough to be filled.
//
// Needs root and a loop device: see why_not().
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/support/temp_directory.h"

namespace tideover::wal {

// A small ext4 in a file.
class LoopDisk {
 public:
  static std::optional<std::string> why_not() {
    if (::geteuid() != 0) return "needs root for a loop mount";
    if (std::system("command -v mkfs.ext4 >/dev/null") != 0) return "needs mkfs.ext4";
    if (std::system("losetup -f >/dev/null 2>&1") != 0) return "needs a free loop device";
    return std::nullopt;
  }
  explicit LoopDisk(int mebibytes) {
    std::filesystem::create_directory(mount());
    run(fmt::format("truncate -s {}M {}", mebibytes, image()));
    run(fmt::format("mkfs.ext4 -q -m 0 {}", image()));
    run(fmt::format("mount -o loop {} {}", image(), mount()));
  }
  ~LoopDisk() { run(fmt::format("umount {}", mount())); }

  std::string mount() const { return root_ / "mnt"; }
  std::uint64_t free_bytes() const { return look().f_bavail * std::uint64_t{look().f_frsize}; }
  std::uint64_t size_bytes() const { return look().f_blocks * std::uint64_t{look().f_frsize}; }
  // Somebody else's file that takes all but `left`.
  void hog(std::uint64_t left) {
    const int fd = ::open((mount() + "/hog").c_str(), O_WRONLY | O_CREAT, 0600);
    REQUIRE(fd >= 0);
    const std::uint64_t size = std::filesystem::file_size(mount() + "/hog") + free_bytes() - left;
    CHECK(::posix_fallocate(fd, 0, static_cast<off_t>(size)) == 0);
    ::close(fd);
  }
  void free_hog() { std::filesystem::remove(mount() + "/hog"); }

 private:
  static void run(const std::string& command) {
    INFO(command);
    CHECK(std::system(command.c_str()) == 0);
  }
  struct statvfs look() const {
    struct statvfs volume {};
    REQUIRE(::statvfs(mount().c_str(), &volume) == 0);
    return volume;
  }
  std::string image() const { return root_ / "image"; }

  TempDirectory root_;
};

}  // namespace tideover::wal
