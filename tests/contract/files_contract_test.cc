// What every Files promises; agent/tail/files.h says it in words.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/tail/posix_files.h"
#include "tests/support/catch_result.h"
#include "tests/support/fake_files.h"
#include "tests/support/temp_directory.h"

namespace tideover::tail {
namespace {

class RealTree {
 public:
  Files& files() { return files_; }
  std::string path(const std::string& name) const { return directory_ / name; }
  void make_directories(const std::string& path) { std::filesystem::create_directories(path); }
  void append(const std::string& path, std::string_view bytes) {
    std::ofstream(path, std::ios::app | std::ios::binary) << bytes;
  }
  void truncate(const std::string& path, std::size_t size) { std::filesystem::resize_file(path, size); }
  void rename(const std::string& from, const std::string& to) { std::filesystem::rename(from, to); }
  void remove(const std::string& path) { std::filesystem::remove_all(path); }
  void make_other(const std::string& path) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }

 private:
  TempDirectory directory_;
  PosixFiles files_;
};

class FakeTree {
 public:
  FakeTree() { files_.make_directories("/t"); }
  Files& files() { return files_; }
  std::string path(const std::string& name) const { return "/t/" + name; }
  void make_directories(const std::string& path) { files_.make_directories(path); }
  void append(const std::string& path, std::string_view bytes) { files_.append(path, bytes); }
  void truncate(const std::string& path, std::size_t size) { files_.truncate(path, size); }
  void rename(const std::string& from, const std::string& to) { files_.rename(from, to); }
  void remove(const std::string& path) { files_.remove(path); }
  void make_other(const std::string& path) { files_.make_other(path); }

 private:
  FakeFiles files_;
};

std::string read(OpenFile& file, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  const auto got = file.read(offset, bytes);
  REQUIRE(got);
  bytes.resize(*got);
  return bytes;
}

using Names = std::vector<std::string>;

}  // namespace

TEMPLATE_TEST_CASE("a directory is listed by name, sorted, and not beyond what was asked", "[files]",
                   RealTree, FakeTree) {
  TestType tree;
  tree.make_directories(tree.path("d/below"));
  tree.append(tree.path("d/b"), "");
  tree.append(tree.path("d/a"), "");
  tree.append(tree.path("d/below/c"), "");
  const auto names = tree.files().list(tree.path("d"), 3);
  REQUIRE(names);
  CHECK(*names == Names{"a", "b", "below"});
  CHECK(tree.files().list(tree.path("d"), 2).error().code == Errc::too_large);
  CHECK(tree.files().list(tree.path("none"), 9).error().code == Errc::not_found);
  CHECK(tree.files().list(tree.path("d/a"), 9).error().code == Errc::not_found);
}

TEMPLATE_TEST_CASE("a file is read at any place, up to its end", "[files]", RealTree, FakeTree) {
  TestType tree;
  tree.append(tree.path("a"), "hello");
  const auto file = tree.files().open(tree.path("a"));
  REQUIRE(file);
  CHECK(read(**file, 0, 9) == "hello");
  CHECK(read(**file, 3, 1) == "l");
  CHECK(read(**file, 5, 9).empty());
  CHECK(read(**file, 99, 9).empty());
  tree.append(tree.path("a"), "!");
  CHECK(read(**file, 5, 9) == "!");
  CHECK((*file)->info()->size == 6);
  CHECK((*file)->info()->kind == Kind::regular);
}

TEMPLATE_TEST_CASE("an open file stays itself, whatever becomes of its name", "[files]", RealTree, FakeTree) {
  TestType tree;
  tree.append(tree.path("a"), "old");
  const auto file = tree.files().open(tree.path("a"));
  const FileId id = (*file)->info()->id;
  tree.rename(tree.path("a"), tree.path("b"));
  tree.append(tree.path("a"), "new");
  CHECK(tree.files().look(tree.path("b"))->id == id);
  CHECK(tree.files().look(tree.path("a"))->id != id);
  CHECK((*file)->info()->links == 1);
  tree.remove(tree.path("b"));
  CHECK((*file)->info()->links == 0);
  CHECK(read(**file, 0, 9) == "old");
  CHECK(tree.files().look(tree.path("b")).error().code == Errc::not_found);
  CHECK(tree.files().open(tree.path("b")).error().code == Errc::not_found);
}

TEMPLATE_TEST_CASE("a name that another takes loses its file", "[files]", RealTree, FakeTree) {
  TestType tree;
  tree.append(tree.path("a"), "one");
  tree.append(tree.path("b"), "two");
  const FileId id = tree.files().look(tree.path("a"))->id;
  const auto replaced = tree.files().open(tree.path("b"));
  tree.rename(tree.path("a"), tree.path("b"));
  CHECK(tree.files().look(tree.path("b"))->id == id);
  CHECK((*replaced)->info()->links == 0);
}

TEMPLATE_TEST_CASE("a truncated file is the same, and shorter", "[files]", RealTree, FakeTree) {
  TestType tree;
  tree.append(tree.path("a"), "hello");
  const auto file = tree.files().open(tree.path("a"));
  const FileId id = (*file)->info()->id;
  tree.truncate(tree.path("a"), 2);
  CHECK((*file)->info()->size == 2);
  CHECK(tree.files().look(tree.path("a"))->id == id);
  CHECK(read(**file, 3, 9).empty());
}

TEMPLATE_TEST_CASE("what is no regular file is known by a look, and not opened", "[files]", RealTree,
                   FakeTree) {
  TestType tree;
  tree.make_directories(tree.path("d"));
  tree.make_other(tree.path("fifo"));
  CHECK(tree.files().look(tree.path("d"))->kind == Kind::directory);
  CHECK(tree.files().look(tree.path("fifo"))->kind == Kind::other);
  CHECK(tree.files().open(tree.path("d")).error().code == Errc::bad_input);
  CHECK(tree.files().open(tree.path("fifo")).error().code == Errc::bad_input);
}

TEMPLATE_TEST_CASE("a directory that has moved takes along what is in it", "[files]", RealTree, FakeTree) {
  TestType tree;
  tree.make_directories(tree.path("d"));
  tree.append(tree.path("d/a"), "x");
  tree.rename(tree.path("d"), tree.path("e"));
  CHECK(tree.files().look(tree.path("e/a"))->size == 1);
  CHECK(tree.files().look(tree.path("d/a")).error().code == Errc::not_found);
  tree.remove(tree.path("e"));
  CHECK(tree.files().look(tree.path("e/a")).error().code == Errc::not_found);
}

TEST_CASE("links, sockets and devices are refused on a node, wherever they lead", "[files]") {
  TempDirectory directory;
  PosixFiles files;
  std::ofstream(directory / "secret") << "secret";
  std::filesystem::create_symlink(directory / "secret", directory / "link");
  std::filesystem::create_symlink(directory / "loop", directory / "loop");
  std::filesystem::create_symlink("/dev/zero", directory / "zero");
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (directory / "socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  for (const char* name : {"link", "loop", "zero", "socket"}) {
    CAPTURE(name);
    const auto info = files.look(directory / name);
    REQUIRE(info);
    CHECK(info->kind == Kind::other);
    const auto opened = files.open(directory / name);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::bad_input);
  }
  CHECK(files.open("/dev/zero").error().code == Errc::bad_input);
  ::close(listener);
}

TEST_CASE("an inode is used again once nobody has its file open", "[files]") {
  FakeFiles files;
  files.append("/a", "x");
  const FileId id = files.look("/a")->id;
  auto open = files.open("/a");
  files.remove("/a");
  files.append("/b", "y");
  CHECK(files.look("/b")->id != id);
  open = fail(Errc::not_found, "closed");
  files.append("/c", "z");
  CHECK(files.look("/c")->id == id);
  CHECK(files.open_files() == 0);
}

}  // namespace tideover::tail
