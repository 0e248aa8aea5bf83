// Requests to paths that are not there, or nearly: what is taken as meant, what is counted, and what is said.
#include <catch2/catch.hpp>

#include "agent/server/router.h"
#include "agent/server/stray_log.h"
#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

TEST_CASE("slashes in front of a path and behind it are taken as meant") {
  const std::vector<Route> routes = {{"POST", "/api/v1/write", 0, {}, {}}, {"GET", "/", 0, {}, {}}};
  for (const char* target : {"/api/v1/write", "//api/v1/write", "///api/v1/write", "/api/v1/write/",
                             "//api/v1/write//", "/api/v1/write/?x=/", "http://host:1//api/v1/write/"}) {
    CAPTURE(target);
    CHECK(find_route(routes, "POST", target).route == &routes[0]);
    CHECK(find_route(routes, "GET", target).allow == "POST");
  }
  for (const char* target : {"/", "//", "http://host"})
    CHECK(find_route(routes, "GET", target).route == &routes[1]);
  for (const char* target : {"/api//v1/write", "/api/v1", "api/v1/write", "", "*", "/api/v1/write/x"}) {
    CAPTURE(target);
    CHECK(find_route(routes, "POST", target).route == nullptr);
  }
}

constexpr Time kStart = Time(1h);

TEST_CASE(
    "the first request to a path that is not there is named, then one a minute with what came between") {
  StrayLog log;
  const Stray first{"POST", "/api/v1/wirte", "10.0.0.7"};
  CHECK(log.note(first, kStart) ==
        "a request came to a path that is not here, and its sender gives up what it sent: method=POST "
        "path=/api/v1/wirte from=10.0.0.7");
  for (int i = 0; i < 3; ++i) CHECK_FALSE(log.note(first, kStart + 59s));
  const auto next = log.note({"POST", "/write", "10.0.0.8"}, kStart + 60s);
  REQUIRE(next);
  CHECK(next->find("path=/write from=10.0.0.8 (3 more since the last such line)") != next->npos);
  CHECK_FALSE(log.note(first, kStart + 119s));
}

TEST_CASE("a probe of a path that is not there does not hide a sender") {
  StrayLog log;
  const auto probe = log.note({"GET", "/favicon.ico", "10.0.0.7"}, kStart);
  REQUIRE(probe);
  CHECK(probe->find("gives up") == probe->npos);
  CHECK(log.note({"POST", "/wirte", "10.0.0.7"}, kStart));
  CHECK_FALSE(log.note({"HEAD", "/", "10.0.0.7"}, kStart));
}

TEST_CASE("a line holds no query, no control bytes and no more of a path than can be read") {
  StrayLog log;
  const std::string long_path = "/" + std::string(10'000, 'x');
  CHECK(log.note({"POST", long_path, ""}, kStart)->size() < 300);
  const auto line = log.note({"POST", "/a\n\"b\x7f?token=secret", "a b"}, kStart + 1min);
  CHECK(line->find("path=/a??b? from=a?b") != line->npos);
  CHECK(line->find("secret") == line->npos);
}

TEST_CASE(
    "what the server turns away by its path, method or expectation is counted by reason, and 404 is said") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection client(f.loop);
    co_await client.connect(address);
    for (int i = 0; i < 3; ++i) {
      co_await client.send(post("/nowhere?key=value", "lost"));
      const http::Response unknown = co_await client.read_response();
      CHECK(unknown.status == 404);
      CHECK(unknown.body.find("POST /echo") != unknown.body.npos);
    }
    co_await client.send(get("/echo"));
    const http::Response method = co_await client.read_response();
    CHECK(method.status == 405);
    co_await client.send(post("/throws", "x"));
    const http::Response thrown = co_await client.read_response();
    CHECK(thrown.status == 500);
    RawConnection another(f.loop);
    co_await another.connect(address);
    co_await another.send(post("//echo/", "meant", "Expect: a miracle\r\n"));
    const http::Response miracle = co_await another.read_response();
    CHECK(miracle.status == 417);
  };
  f.run(task());
  const RefusalCounts& refused = f.server->metrics().refused;
  CHECK(refused[Refusal::not_found] == 3);
  CHECK(refused[Refusal::method] == 1);
  CHECK(refused[Refusal::expectation] == 1);
  CHECK(refused[Refusal::failed] == 1);
  REQUIRE(f.warnings.size() == 2);  // the other is the handler's
  CHECK(f.warnings[0].find("method=POST path=/nowhere from=127.0.0.1") != f.warnings[0].npos);
}

}  // namespace
}  // namespace tideover::server
