#include "forwarders/http/message.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "forwarders/http/message_parser.h"
#include "forwarders/http/url.h"

namespace tideover::http {
namespace {

using Status = MessageParser::Status;

TEST_CASE("header names compare without case, and the first of a name counts") {
  const Headers headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  CHECK(headers.find("CONTENT-TYPE") == "a");
  CHECK(headers.has("content-Type"));
  CHECK_FALSE(headers.has("content"));
  CHECK(headers.find("x").empty());
}

TEST_CASE("every letter of a header name compares without case, and nothing but letters") {
  CHECK(same_name("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"));
  CHECK_FALSE(same_name("@", "`"));
  CHECK_FALSE(same_name("[", "{"));
}

TEST_CASE("the path of a target is what routes compare") {
  CHECK(path_of("/api/v1/write?x=1") == "/api/v1/write");
  CHECK(path_of("/a#b") == "/a");
  CHECK(path_of("http://host:1/a?b") == "/a");
  CHECK(path_of("http://host") == "/");
  CHECK(path_of("*") == "*");
}

TEST_CASE("a URL tells host, port and path") {
  const Result<Url> plain = parse_url("http://thanos-receive.mgmt:19291/api/v1/receive");
  REQUIRE(plain.has_value());
  CHECK_FALSE(plain->tls);
  CHECK(plain->host == "thanos-receive.mgmt");
  CHECK(plain->port == 19291);
  CHECK(plain->path == "/api/v1/receive");
  CHECK(plain->authority() == "thanos-receive.mgmt:19291");
  const Result<Url> six = parse_url("https://[::1]/");
  REQUIRE(six.has_value());
  CHECK(six->tls);
  CHECK(six->host == "::1");
  CHECK(six->port == 443);
  CHECK(six->path == "/");
  CHECK(six->authority() == "[::1]");
}

TEST_CASE("a path is sent as it was written") {
  for (const auto& [url, path] :
       std::vector<std::pair<std::string, std::string>>{{"http://h", ""},
                                                        {"http://h/", "/"},
                                                        {"http://h/ingest/", "/ingest/"},
                                                        {"http://h/a//", "/a//"},
                                                        {"http://h/%7Ea/", "/%7Ea/"},
                                                        {"http://h/a/?k=v", "/a/?k=v"},
                                                        {"http://h?k=v", "/?k=v"}}) {
    CAPTURE(url);
    const Result<Url> parsed = parse_url(url);
    REQUIRE(parsed.has_value());
    CHECK(parsed->path == path);
  }
}

TEST_CASE("a URL that cannot be sent to is refused") {
  for (const char* text : {"", "thanos:80", "//thanos", "http://", "http://a b/", "http://h:99999/",
                           "http://h:0/", "http://h:port/", "http://h/#x", "http://u@h/", "unix:/x"}) {
    CAPTURE(text);
    CHECK(parse_url(text).has_error());
  }
}

// Feeds `text` one byte at a time, which must make no difference.
Status last_status(MessageParser::Kind kind, std::string_view text, std::string* body = nullptr) {
  MessageParser parser(kind, 256);
  if (body != nullptr) parser.body_to(body, 16);
  Status status = Status::need_more;
  std::string held;
  for (const char c : text) {
    held.push_back(c);
    do {
      std::size_t used = 0;
      status = parser.put(held, used);
      held.erase(0, used);
    } while (status == Status::head_done);
    if (status != Status::need_more) return status;
  }
  return status;
}

TEST_CASE("messages are found at every fragmentation") {
  std::string body;
  CHECK(last_status(MessageParser::Kind::request,
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &body) == Status::done);
  CHECK(body == "abc");
  body.clear();
  CHECK(last_status(
            MessageParser::Kind::request,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
            &body) == Status::done);
  CHECK(body == "abc");
}

TEST_CASE("framing that two parsers could read in two ways is refused") {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  const auto status = [&](const std::string& rest) {
    return last_status(MessageParser::Kind::request, head + rest);
  };
  CHECK(status("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n") == Status::bad);
  CHECK(status("Content-Length: 3\r\nContent-Length: 4\r\n\r\n") == Status::bad);
  CHECK(status("Content-Length: 3, 4\r\n\r\n") == Status::bad);
  CHECK(status("Content-Length: -1\r\n\r\n") == Status::bad);
  CHECK(status("Content-Length: +3\r\n\r\n") == Status::bad);
  CHECK(status("Content-Length: 0x3\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: gzip\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: gzip, chunked\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: chunked, gzip\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding : chunked\r\n\r\n") == Status::bad);
  CHECK(status("Transfer-Encoding: chunked\r\n\r\nzz\r\n") == Status::bad);
  CHECK(status("Host: b\r\n\r\n") == Status::bad);
  CHECK(last_status(MessageParser::Kind::request, "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n") ==
        Status::bad);
  CHECK(last_status(MessageParser::Kind::request, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        Status::bad);
  CHECK(last_status(MessageParser::Kind::request, "GET / HTTP/2.0\r\nHost: a\r\n\r\n") == Status::bad);
}

TEST_CASE("fields that trickle in are counted together") {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i) text += "A: b\r\n";
  CHECK(last_status(MessageParser::Kind::request, text) == Status::head_too_large);
}

TEST_CASE("a body beyond its bound is cut there") {
  std::string body;
  CHECK(last_status(MessageParser::Kind::response,
                    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789",
                    &body) == Status::body_too_large);
  CHECK(body == "0123456789012345");
}

}  // namespace
}  // namespace tideover::http
