#include "agent/server/http_server.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::post;
using test::RawConnection;

TEST_CASE("requests on one connection are answered one after the other") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    for (int i = 0; i < 3; ++i) {
      const std::string body = "hello " + std::to_string(i);
      co_await client.send(post("/echo", body));
      const http::Response response = co_await client.read_response();
      CHECK(response.status == 200);
      CHECK(response.body == body);
      CHECK(response.headers.has("date"));
      CHECK_FALSE(response.headers.has("connection"));
    }
    CHECK(f.server->metrics().connections_open == 1);
  };
  f.run(task());
}

TEST_CASE("pipelined requests are answered in order") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/echo", "one") + get("/fixed") + post("/echo", "three") + post("/echo", ""));
    const http::Response one = co_await client.read_response();
    const http::Response two = co_await client.read_response();
    const http::Response three = co_await client.read_response();
    const http::Response four = co_await client.read_response();
    CHECK(one.body == "one");
    CHECK(two.body == "fixed");
    CHECK(three.body == "three");
    CHECK(four.status == 200);
    CHECK(four.body.empty());
  };
  f.run(task());
}

TEST_CASE("a body arrives whole, behind the room its route asked for") {
  test::ServerFixture f;
  const std::string large(3'000'001, 'x');
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/headroom", large));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 204);
    CHECK(f.seen_body.size() == 32 + large.size());
    CHECK(f.seen_body.compare(32, std::string::npos, large) == 0);
    CHECK_FALSE(response.headers.has("content-length"));
    co_await client.send(
        "POST /headroom HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
        "Trailer: t\r\n\r\n");
    const http::Response chunked = co_await client.read_response();
    CHECK(chunked.status == 204);
    CHECK(f.seen_body.substr(32) == "abcde");
  };
  f.run(task());
}

TEST_CASE("a request that comes byte by byte is a request") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    for (const char c : post("/echo", "slow but honest")) co_await client.send(std::string(1, c));
    const http::Response response = co_await client.read_response();
    CHECK(response.body == "slow but honest");
  };
  f.run(task());
}

TEST_CASE("an unknown path is 404, and a known one with another method 405 with what it allows") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/nowhere", "body that nobody reads"));
    const http::Response unknown = co_await client.read_response();
    CHECK(unknown.status == 404);
    co_await client.send(post("/fixed", "x"));
    const http::Response method = co_await client.read_response();
    CHECK(method.status == 405);
    CHECK(method.headers.find("allow") == "GET, HEAD");
    co_await client.send(get("http://any.host/fixed?x=1"));
    const http::Response still_there = co_await client.read_response();
    CHECK(still_there.body == "fixed");
  };
  f.run(task());
}

TEST_CASE("HEAD is answered like GET, without the body") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("HEAD /fixed HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    const std::string all = co_await client.read_to_end();
    CHECK(all.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
    CHECK(all.find("Content-Length: 5\r\n") != std::string::npos);
    CHECK(all.substr(all.size() - 4) == "\r\n\r\n");
  };
  f.run(task());
}

TEST_CASE("an HTTP/1.0 client is answered, and its connection closed unless it asks to keep it") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection once(f.loop);
    co_await once.connect(address);
    co_await once.send("GET /fixed HTTP/1.0\r\n\r\n");
    const std::string all = co_await once.read_to_end();
    CHECK(all.find("\r\n\r\nfixed") != std::string::npos);
    RawConnection kept(f.loop);
    co_await kept.connect(address);
    for (int i = 0; i < 2; ++i) {
      co_await kept.send("GET /fixed HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const http::Response response = co_await kept.read_response();
      CHECK(response.headers.find("connection") == "keep-alive");
    }
  };
  f.run(task());
}

TEST_CASE("a handler that throws costs its own connection and no other") {
  test::ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection other(f.loop);
    co_await other.connect(address);
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(post("/throws", "x"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 500);
    CHECK(response.headers.find("connection") == "close");
    REQUIRE(f.warnings.size() == 1);
    CHECK(f.warnings[0].find("out of ideas") != std::string::npos);
    co_await other.send(get("/fixed"));
    const http::Response fine = co_await other.read_response();
    CHECK(fine.status == 200);
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
