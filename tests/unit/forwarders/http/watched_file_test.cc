// When a file that others replace is read anew.
#include "forwarders/http/watched_file.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include "tests/support/temp_directory.h"

namespace tideover::http {
namespace {

// In place: the same inode, as an editor that keeps it or a shell's `>` leaves it.
void overwrite(const std::string& path, std::string_view content) { std::ofstream(path) << content; }

void set_changed(const std::string& path, std::int64_t seconds, long nanoseconds) {
  const std::array<timespec, 2> times{timespec{seconds, nanoseconds}, timespec{seconds, nanoseconds}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0);
}

TEST_CASE("a file of the same size that is rewritten within a second is read anew") {
  const TempDirectory directory;
  const std::string path = directory / "token";
  overwrite(path, "first");
  set_changed(path, 1'000, 1'000'000);
  WatchedFile file(path);
  CHECK(file.refresh().value());
  CHECK_FALSE(file.refresh().value());
  overwrite(path, "other");
  set_changed(path, 1'000, 2'000'000);
  CHECK(file.refresh().value());
  CHECK(file.content() == "other");
}

TEST_CASE("a file is read anew when its time, its size or its inode differs, and only then") {
  const TempDirectory directory;
  const std::string path = directory / "token";
  overwrite(path, "first");
  set_changed(path, 1'000, 0);
  WatchedFile file(path);
  REQUIRE(file.refresh().value());
  SECTION("its size") {
    overwrite(path, "longer");
    set_changed(path, 1'000, 0);
  }
  SECTION("its time, though it was set back") {
    overwrite(path, "again");
    set_changed(path, 900, 0);
  }
  SECTION("its inode: a copy with everything else preserved") {
    overwrite(path + ".new", "moved");
    set_changed(path + ".new", 1'000, 0);
    std::filesystem::rename(path + ".new", path);
  }
  CHECK(file.refresh().value());
  CHECK(file.content() != "first");
  CHECK_FALSE(file.refresh().value());
}

TEST_CASE("what cannot be read leaves the content as it was, and is tried again") {
  const TempDirectory directory;
  const std::string path = directory / "token";
  overwrite(path, "first");
  WatchedFile file(path);
  REQUIRE(file.refresh().value());
  std::filesystem::remove(path);
  SECTION("it is gone") {}
  SECTION("it is a directory") { std::filesystem::create_directory(path); }
  SECTION("it is far too large") {
    overwrite(path, "x");
    std::filesystem::resize_file(path, (1 << 20) + 1);
  }
  CHECK(file.refresh().has_error());
  CHECK(file.refresh().has_error());
  CHECK(file.content() == "first");
  std::filesystem::remove_all(path);
  overwrite(path, "new");
  CHECK(file.refresh().value());
  CHECK(file.content() == "new");
}

}  // namespace
}  // namespace tideover::http
