#include "agent/check/facts.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_directory.h"

namespace tideover::check {
namespace {

namespace fs = std::filesystem;

void write(const TempDirectory& folder, const fs::path& name, std::string_view text) {
  const fs::path path = folder.path() / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

TEST_CASE("what lies where the operators' socket belongs is seen") {
  const TempDirectory folder;
  const std::string path = folder / "admin.sock";
  CHECK(look_at_socket(path) == AtSocket::nothing);
  {
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::acceptor listening(io, {path});
    CHECK(look_at_socket(path) == AtSocket::in_use);
  }
  CHECK(look_at_socket(path) == AtSocket::left_behind);
  write(folder, "file", "");
  CHECK(look_at_socket(folder / "file") == AtSocket::no_socket);
}

TEST_CASE("the disk of a missing directory is the one it would be on") {
  const TempDirectory folder;
  const auto here = look_at_disk(folder.path());
  const auto below = look_at_disk(folder / "a/b");
  REQUIRE(here);
  REQUIRE(below);
  CHECK(here->size_bytes > 0);
  CHECK(below->size_bytes == here->size_bytes);
}

TEST_CASE("a file is seen with its mode, and whether it is empty") {
  const TempDirectory folder;
  write(folder, "token", "x");
  REQUIRE(::chmod((folder / "token").c_str(), 0640) == 0);
  const auto token = look_at_file(folder / "token");
  CHECK(token.exists);
  CHECK(token.is_file);
  CHECK(token.readable);
  CHECK_FALSE(token.empty);
  CHECK(token.mode == 0640);
  write(folder, "empty", "");
  CHECK(look_at_file(folder / "empty").empty);
  CHECK_FALSE(look_at_file(folder.path()).is_file);
  CHECK_FALSE(look_at_file(folder / "none").exists);
}

TEST_CASE("the memory limit of cgroup v2 is the smallest on the way up") {
  const TempDirectory root;
  write(root, "proc/self/cgroup", "0::/kubepods/pod1\n");
  write(root, "sys/fs/cgroup/kubepods/pod1/memory.max", "max\n");
  write(root, "sys/fs/cgroup/kubepods/memory.max", "167772160\n");
  CHECK(cgroup_memory_limit(root.path()) == 167772160);
  write(root, "sys/fs/cgroup/kubepods/pod1/memory.max", "134217728\n");
  CHECK(cgroup_memory_limit(root.path()) == 134217728);
}

TEST_CASE("inside a container the limit lies at the top of the mount") {
  const TempDirectory root;
  write(root, "proc/self/cgroup", "0::/\n");
  write(root, "sys/fs/cgroup/memory.max", "167772160\n");
  CHECK(cgroup_memory_limit(root.path()) == 167772160);
}

TEST_CASE("the memory limit of cgroup v1 is read where v2 has none") {
  const TempDirectory root;
  write(root, "proc/self/cgroup", "4:memory:/x\n0::/\n");
  write(root, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "167772160\n");
  write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(cgroup_memory_limit(root.path()) == 167772160);
}

TEST_CASE("no limit is no number") {
  const TempDirectory root;
  CHECK_FALSE(cgroup_memory_limit(root.path()));
  write(root, "proc/self/cgroup", "4:memory:/\n");
  write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(cgroup_memory_limit(root.path()));
  write(root, "sys/fs/cgroup/memory.max", "max\n");
  CHECK_FALSE(cgroup_memory_limit(root.path()));
}

}  // namespace
}  // namespace tideover::check
