// The first bytes of a request, as they go out.
#include "forwarders/http/request_head.h"

#include <catch2/catch.hpp>

namespace tideover::http {
namespace {

const Headers kNone;

std::string head_of(const Request& request, const std::string& path = "", const Headers& fixed = kNone,
                    const std::string& authorization = "") {
  std::string out;
  append_head(out, request, {path, "host:1", authorization, fixed});
  return out;
}

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST_CASE("a request line always has a path") {
  CHECK(head_of({"GET", "", {}, ""}).starts_with("GET / HTTP/1.1\r\nHost: host:1\r\n"));
  CHECK(head_of({"GET", "", {}, ""}, "/api").starts_with("GET /api HTTP/1.1\r\n"));
  CHECK(head_of({"GET", "/x?y", {}, ""}).starts_with("GET /x?y HTTP/1.1\r\n"));
  CHECK(head_of({"GET", "", {}, ""}, "/api/").starts_with("GET /api/ HTTP/1.1\r\n"));
  CHECK(head_of({"GET", "/x", {}, ""}, "/api/").starts_with("GET /api/x HTTP/1.1\r\n"));
  CHECK(head_of({"GET", "", {}, ""}).ends_with("\r\n\r\n"));
}

TEST_CASE("a length is said of every body, and of none where one is expected") {
  CHECK(has_line(head_of({"POST", "/", {}, "abc"}), "Content-Length: 3"));
  CHECK(has_line(head_of({"POST", "/", {}, ""}), "Content-Length: 0"));
  CHECK(has_line(head_of({"PUT", "/", {}, ""}), "Content-Length: 0"));
  CHECK(has_line(head_of({"GET", "/", {}, "abc"}), "Content-Length: 3"));
  CHECK(head_of({"GET", "/", {}, ""}).find("Content-Length") == std::string::npos);
}

TEST_CASE("fields that frame the message are ours, whoever sets them") {
  const Headers framing = {
      {"HOST", "evil"}, {"Content-length", "9"}, {"connection", "close"}, {"Transfer-Encoding", "chunked"}};
  for (const std::string& head :
       {head_of({"POST", "/", framing, "abc"}), head_of({"POST", "/", {}, "abc"}, "", framing)}) {
    CHECK(head.find("evil") == std::string::npos);
    CHECK(head.find(": 9") == std::string::npos);
    CHECK(head.find("close") == std::string::npos);
    CHECK(head.find("chunked") == std::string::npos);
  }
}

TEST_CASE("a credential and a name of our own stand back for those that were set, each is said once") {
  const Request plain{"GET", "/", {}, ""};
  CHECK(has_line(head_of(plain, "", kNone, "Bearer x"), "Authorization: Bearer x"));
  CHECK(head_of(plain).find("Authorization") == std::string::npos);
  const Headers own = {{"authorization", "own"}, {"user-agent", "own"}};
  for (const std::string& head :
       {head_of({"GET", "/", own, ""}, "", kNone, "Bearer x"), head_of(plain, "", own, "Bearer x")}) {
    CHECK(head.find("Bearer") == std::string::npos);
    CHECK(head.find("tideover/") == std::string::npos);
    CHECK(has_line(head, "authorization: own"));
    CHECK(has_line(head, "user-agent: own"));
  }
  const std::string both =
      head_of({"GET", "/", {{"X", "request"}}, ""}, "", {{"x", "fixed"}, {"Y", "fixed"}});
  CHECK(both.find("x: fixed") == std::string::npos);
  CHECK(has_line(both, "X: request"));
  CHECK(has_line(both, "Y: fixed"));
}

TEST_CASE("what could begin a line of its own is not one line") {
  CHECK(is_one_line("plain text"));
  CHECK(is_one_line(""));
  for (const char c : {'\r', '\n', '\0'}) CHECK_FALSE(is_one_line(std::string("a") + c + "b"));
}

}  // namespace
}  // namespace tideover::http
