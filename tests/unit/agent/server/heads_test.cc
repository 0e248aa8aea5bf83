// The head of an answer, and the file of a socket: what nobody else may put there, or lose.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "agent/server/listener.h"
#include "agent/server/response_head.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

std::string head_of(const http::Response& response, const Framing& framing) {
  std::string out;
  append_head(out, response, framing);
  return out;
}

TEST_CASE("a field that would begin a line of its own, or belongs to the server, is left out of the head") {
  http::Response response{200, {}, "body"};
  response.headers.add("X-Good", "yes");
  response.headers.add("X-Name\r\nX-Evil", "1");
  response.headers.add("X-Value", "1\r\nX-Evil: 1");
  response.headers.add("X-Feed", "1\nX-Evil: 1");
  response.headers.add(std::string("X-Zero\0", 7), "1");
  response.headers.add("Content-Length", "999");
  response.headers.add("Date", "yesterday");
  response.headers.add("Transfer-Encoding", "chunked");
  const std::string head = head_of(response, {true, false, "Sat, 28 Nov 2026 18:00:00 GMT"});
  CHECK(head.find("X-Good: yes\r\n") != head.npos);
  CHECK(head.find("\nX-Evil") == head.npos);
  CHECK(head.find("999") == head.npos);
  CHECK(head.find("yesterday") == head.npos);
  CHECK(head.find("chunked") == head.npos);
  CHECK(head.find("Content-Length: 4\r\n") != head.npos);
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("a server that ends takes its socket's file along, and not one that somebody put in its place") {
  const TempDirectory folder;
  const std::string path = folder / "admin.sock";
  test::Loop loop;
  auto listener = open_listener(loop.io, "unix:" + path);
  REQUIRE(listener.has_value());
  const bool replaced = GENERATE(true, false);
  if (replaced) {
    std::filesystem::remove(path);
    auto other = open_listener(loop.io, "unix:" + path);
    REQUIRE(other.has_value());
    close_listener(*listener);
    CHECK(std::filesystem::exists(path));
    close_listener(*other);
  } else {
    close_listener(*listener);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace tideover::server
