// What crosses an execve(): the words on paper, and the descriptors themselves.
#include "agent/inheritance/inheritance.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tideover {
namespace {

constexpr pid_t kProcess = 4711;

Inheritance example() {
  return {"cluster: a\n# config\n\nlast line",
          {{"127.0.0.1:7302", 7, {9, 10}}, {"unix:/var/lib/tide over/admin.sock", 8, {}}}};
}

TEST_CASE("an inheritance is read as it was written") {
  const Inheritance written = example();
  const auto read = read_inheritance(write_inheritance(written, kProcess), kProcess);
  REQUIRE(read.has_value());
  CHECK(read->config == written.config);
  REQUIRE(read->sockets.size() == 2);
  CHECK(read->sockets[0].address == "127.0.0.1:7302");
  CHECK(read->sockets[0].listener == 7);
  CHECK(read->sockets[0].connections == std::vector{9, 10});
  CHECK(read->sockets[1].address == "unix:/var/lib/tide over/admin.sock");
  CHECK(read->sockets[1].listener == 8);
}

TEST_CASE("an inheritance of another process, or of no sense, is none") {
  const std::string good = write_inheritance(example(), kProcess);
  CHECK_FALSE(read_inheritance(good, kProcess + 1).has_value());
  for (const std::string& bad : {
           std::string(),
           std::string("cluster: a\n"),
           std::string("tideover inheritance 1 of process 4711"),
           std::string("tideover inheritance 1 of process 4711\nlistener 7\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nlistener x 127.0.0.1:1\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nlistener -1 127.0.0.1:1\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nlistener 2 127.0.0.1:1\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nconnection 7\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nlistener 7 a:1\nconnection 9 x\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nlistener 7 a:1\nconnection 2\nconfig\n"),
           std::string("tideover inheritance 1 of process 4711\nsurprise\nconfig\n"),
           "X" + good,
       }) {
    CAPTURE(bad);
    CHECK_FALSE(read_inheritance(bad, kProcess).has_value());
  }
}

TEST_CASE("sockets are taken once, by their address") {
  Inheritance inheritance = example();
  CHECK(inheritance.take("127.0.0.1:7301").listener == -1);
  CHECK(inheritance.take("127.0.0.1:7302").listener == 7);
  CHECK(inheritance.take("127.0.0.1:7302").listener == -1);
}

TEST_CASE("what is bequeathed stays open over exec, and is inherited once") {
  const int left = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  const std::string config = "cluster: b\n" + std::string(100'000, '#') + "\nthe end";
  REQUIRE(bequeath({config, {{"127.0.0.1:1", left, {connection}}}}).has_value());
  CHECK((::fcntl(left, F_GETFD) & FD_CLOEXEC) == 0);
  CHECK((::fcntl(connection, F_GETFD) & FD_CLOEXEC) == 0);
  CHECK((::fcntl(other, F_GETFD) & FD_CLOEXEC) != 0);
  const int file = std::stoi(std::getenv("TIDEOVER_INHERITANCE"));
  CHECK((::fcntl(file, F_GETFD) & FD_CLOEXEC) == 0);
  auto inherited = inherit();
  REQUIRE(inherited.has_value());
  CHECK(inherited->config == config);
  CHECK(::fcntl(file, F_GETFD) == -1);
  CHECK_FALSE(inherit().has_value());
  close_inheritance(*inherited);
  CHECK(inherited->sockets.empty());
  CHECK(::fcntl(left, F_GETFD) == -1);
  CHECK(::fcntl(connection, F_GETFD) == -1);
  ::close(other);
}

TEST_CASE("a variable that somebody else set is no inheritance, and is taken away") {
  for (const char* value : {"", "x", "0", "999999"}) {
    CAPTURE(value);
    ::setenv("TIDEOVER_INHERITANCE", value, 1);
    CHECK_FALSE(inherit().has_value());
    CHECK(std::getenv("TIDEOVER_INHERITANCE") == nullptr);
  }
}

TEST_CASE("a descriptor that is named and holds no inheritance of ours is left alone") {
  const int foreign = ::memfd_create("foreign", MFD_CLOEXEC);
  const std::string text = write_inheritance(example(), ::getpid() + 1);
  REQUIRE(::write(foreign, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::setenv("TIDEOVER_INHERITANCE", std::to_string(foreign).c_str(), 1);
  CHECK_FALSE(inherit().has_value());
  CHECK(::fcntl(foreign, F_GETFD) != -1);
  ::close(foreign);
}

}  // namespace
}  // namespace tideover
