// What is made durable, in which order, and what becomes of a sync that fails.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/catch_result.h"
#include "tests/support/temp_directory.h"
#include "wal/store_directory.h"

namespace {

// Of the thread that asks for it alone.
thread_local std::function<int(const std::string& path)> on_fsync;

thread_local int mkdir_fails = 0;  // an error number

}  // namespace

extern "C" int mkdir(const char* path, mode_t mode) {
  if (mkdir_fails != 0) return errno = mkdir_fails, -1;
  return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

extern "C" int fsync(int descriptor) {
  if (on_fsync) {
    char path[4096] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    [[maybe_unused]] const ssize_t size = ::readlink(link.c_str(), path, sizeof path - 1);
    if (const int error = on_fsync(path); error != 0) return errno = error, -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

// What was synced, while it lives; `refuses` says which of it fails, and of what.
struct Syncs {
  std::vector<std::string> paths;
  std::string refused;
  int error = 0;

  Syncs() {
    on_fsync = [this](const std::string& path) {
      paths.push_back(path);
      return path == refused ? error : 0;
    };
  }
  ~Syncs() { on_fsync = nullptr; }
  Syncs(const Syncs&) = delete;
  Syncs& operator=(const Syncs&) = delete;
};

TEST_CASE("a file that is replaced is durable before its name is, and its name once it is there") {
  TempDirectory root;
  Syncs syncs;
  REQUIRE(replace_file(root / "file", "x"));
  CHECK(syncs.paths == std::vector<std::string>{root / "file.new", root.path()});
}

TEST_CASE("a file whose sync fails does not replace anything") {
  TempDirectory root;
  REQUIRE(replace_file(root / "file", "old"));
  Syncs syncs;
  syncs.refused = root / "file.new";
  syncs.error = GENERATE(EIO, ENOSPC);
  const auto replaced = replace_file(root / "file", "new and longer");
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code == (syncs.error == EIO ? Errc::io_error : Errc::disk_full));
  CHECK(fs::file_size(root / "file") == 3);
  CHECK_FALSE(fs::exists(root / "file.new"));
}

TEST_CASE("a write that fails replaces nothing") {
  TempDirectory root;
  REQUIRE(replace_file(root / "file", "old"));
  fs::create_symlink("/dev/full", root / "file.new");
  CHECK(replace_file(root / "file", "new and longer").error().code == Errc::disk_full);
  CHECK(fs::file_size(root / "file") == 3);
}

TEST_CASE("a directory whose sync fails is an error, and one that knows no syncs is none") {
  TempDirectory root;
  Syncs syncs;
  syncs.refused = root.path();
  for (const int error : {EIO, ENOSPC, EDQUOT}) {
    syncs.error = error;
    const auto synced = sync_directory(root.path());
    REQUIRE_FALSE(synced);
    CHECK(synced.error().code == (error == EIO ? Errc::io_error : Errc::disk_full));
    CHECK(replace_file(root / "file", "x").has_error());
  }
  for (const int error : {EINVAL, EROFS, ENOSYS}) {
    syncs.error = error;
    CHECK(sync_directory(root.path()));
  }
}

TEST_CASE("a disk that is full or broken may get well, a directory that is not allowed stays so") {
  const auto [error, code] = GENERATE(
      std::pair(EIO, Errc::io_error), std::pair(ENOSPC, Errc::disk_full), std::pair(EDQUOT, Errc::disk_full),
      std::pair(EACCES, Errc::store_refused), std::pair(EROFS, Errc::store_refused));
  TempDirectory root;
  mkdir_fails = error;
  const auto prepared = prepare_directory(root / "store");
  mkdir_fails = 0;
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().code == code);
}

TEST_CASE("the names that lead to a directory are durable when it is ready, whoever made them") {
  TempDirectory root;
  const bool exists = GENERATE(false, true);
  if (exists) fs::create_directories(root / "a/b");
  if (exists) fs::permissions(root / "a/b", fs::perms::owner_all);
  Syncs syncs;
  REQUIRE(prepare_directory(root / "a/b"));
  for (const std::string& path : {root / "a", root.path(), std::string("/")})
    CHECK(std::count(syncs.paths.begin(), syncs.paths.end(), path) == 1);
  syncs.refused = root.path();
  syncs.error = EIO;
  CHECK(prepare_directory(root / "a/b").error().code == Errc::io_error);
}

}  // namespace
}  // namespace tideover::wal
