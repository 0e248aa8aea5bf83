// The directory of a store, and the small files in it.
#include "wal/store_directory.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/catch_result.h"
#include "tests/support/skip.h"
#include "tests/support/temp_directory.h"

namespace tideover::wal {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

auto descriptors() { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); }

TEST_CASE("a full disk or quota is told from a disk that fails, and the sentence names what was tried") {
  CHECK(system_error(ENOSPC, "write x").code == Errc::disk_full);
  CHECK(system_error(EDQUOT, "write x").code == Errc::disk_full);
  CHECK(system_error(EIO, "write x").code == Errc::io_error);
  CHECK(system_error(EACCES, "write x").code == Errc::io_error);
  CHECK(system_error(ENOSPC, "write x").detail == "write x: No space left on device");
}

TEST_CASE("a directory is made with its parents, for its owner alone, and made once") {
  TempDirectory root;
  const std::string path = root / "a/b/store";
  REQUIRE(prepare_directory(path));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0700U);
  std::ofstream(path + "/kept") << "x";
  REQUIRE(prepare_directory(path));
  CHECK(content_of(path + "/kept") == "x");
}

TEST_CASE("a directory of ours that others may enter is closed to them") {
  const int mode = GENERATE(0720, 0702, 0755, 02770);
  TempDirectory root;
  const std::string path = root / "store";
  fs::create_directory(path);
  REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(mode)) == 0);
  REQUIRE(prepare_directory(path));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
}

TEST_CASE("a path that cannot be a directory is refused, and not taken for a disk that fails") {
  TempDirectory root;
  std::ofstream(root / "file") << "x";
  CHECK(prepare_directory(root / "file").error().code == Errc::store_refused);
  CHECK(prepare_directory(root / "file/store").error().code == Errc::store_refused);
}

TEST_CASE("a file is replaced as a whole, readable by its owner alone, and nothing is left beside it") {
  TempDirectory root;
  const std::string path = root / "file", large(300'000, 'x');
  const auto before = descriptors();
  REQUIRE(replace_file(path, large));
  CHECK(content_of(path) == large);
  REQUIRE(replace_file(path, "short"));
  CHECK(content_of(path) == "short");
  CHECK(list_directory(root.path())->size() == 1);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600U);
  CHECK(descriptors() == before);
}

TEST_CASE("a file that cannot be replaced stays as it was, with nothing beside it") {
  TempDirectory root;
  fs::create_directories(root / "file/in the way");
  const auto before = descriptors();
  const auto replaced = replace_file(root / "file", "x");
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().code == Errc::io_error);
  CHECK(fs::exists(root / "file/in the way"));
  CHECK(list_directory(root.path())->size() == 1);
  CHECK(replace_file(root / "nowhere/file", "x").error().code == Errc::io_error);
  CHECK(descriptors() == before);
}

TEST_CASE("a directory that cannot be listed is an error, not empty") {
  TempDirectory root;
  CHECK(list_directory(root.path())->empty());
  CHECK(list_directory(root / "gone").error().code == Errc::io_error);
  CHECK(sync_directory(root / "gone").error().code == Errc::io_error);
}

TEST_CASE("what files take is counted below the directory too, as allocated") {
  TempDirectory root;
  const std::uint64_t empty = used_bytes(root.path());
  fs::create_directory(root / "below");
  std::ofstream(root / "below/file") << std::string(100'000, 'x');
  std::ofstream(root / "hole").close();
  fs::resize_file(root / "hole", 10 << 20);
  const std::uint64_t used = used_bytes(root.path()) - empty;
  CHECK(used >= 100'000);
  CHECK(used < 1 << 20);
  CHECK(used_bytes(root / "gone") == 0);
}

TEST_CASE("a directory has one holder, who is named, and is free again when that one goes") {
  TempDirectory root;
  const auto before = descriptors();
  {
    DirectoryLock lock;
    REQUIRE(lock.take(root.path()));
    REQUIRE(lock.take(root.path()));  // once is enough
    CHECK(content_of(root / "OWNER") == std::to_string(::getpid()) + "\n");
    DirectoryLock other;
    const auto refused = other.take(root.path());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::store_busy);
    CHECK(refused.error().detail.find("in use by process " + std::to_string(::getpid())) !=
          std::string::npos);
    std::ofstream(root / "OWNER") << "no number";
    CHECK(other.take(root.path()).error().detail.find("in use by another process") != std::string::npos);
  }
  CHECK(descriptors() == before);
  DirectoryLock next;
  CHECK(next.take(root.path()));
  CHECK(DirectoryLock().take(root / "gone").error().code == Errc::io_error);
}

TEST_CASE(
    "the ballast is set aside once, given back at once, and never more than an eighth of what is free") {
  TempDirectory root;
  const std::string path = root / std::string(kBallastName);
  constexpr std::uint64_t kBytes = 1 << 20;
  REQUIRE(free_space(root.path()).free_bytes > 100 * kBytes);
  const auto before = descriptors();
  Ballast ballast(root.path(), kBytes);
  ballast.fill();
  CHECK(fs::file_size(path) == kBytes);
  CHECK(used_bytes(root.path()) >= kBytes);
  const auto written = fs::last_write_time(path);
  ballast.fill();
  CHECK(fs::last_write_time(path) == written);
  ballast.drop();
  CHECK_FALSE(fs::exists(path));
  Ballast(root.path(), free_space(root.path()).free_bytes / 4).fill();
  CHECK_FALSE(fs::exists(path));
  Ballast(root.path(), 0).fill();
  CHECK_FALSE(fs::exists(path));
  CHECK(descriptors() == before);
}

TEST_CASE("a file of the wrong size in the ballast's place is made as large as it should be") {
  TempDirectory root;
  const std::string path = root / std::string(kBallastName);
  std::ofstream(path) << "left by a crash";
  Ballast(root.path(), 1 << 20).fill();
  CHECK(fs::file_size(path) == 1 << 20);
}

}  // namespace
}  // namespace tideover::wal
