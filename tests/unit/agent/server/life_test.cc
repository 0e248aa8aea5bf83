// Where a server listens, and how it ends.
#include <catch2/catch.hpp>
#include <fstream>
#include <sys/stat.h>

#include "tests/support/temp_directory.h"
#include "tests/unit/agent/server/fixture.h"
#include "wal/base/task_group.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

TEST_CASE("a unix socket is its owner's alone, and gone with the server") {
  ServerFixture f;
  TempDirectory directory;
  const std::string path = directory / "admin.sock";
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start("unix:" + path);
    CHECK(address == "unix:" + path);
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(get("/fixed"));
    const http::Response response = co_await client.read_response();
    CHECK(response.body == "fixed");
  };
  f.run(task());
  CHECK_FALSE(exists(path));
}

TEST_CASE("a socket file that a dead process left is replaced, a living one's and other files are not") {
  TempDirectory directory;
  const std::string path = directory / "admin.sock";
  {
    ServerFixture living;
    const std::string address = living.start("unix:" + path);
    HttpServer second(living.loop.io, living.loop.clock, {}, {});
    const Result<> refused = second.listen(address);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == Errc::io_error);
    CHECK(exists(path));
    ::link(path.c_str(), (directory / "left").c_str());  // what stays behind when a process dies
  }
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start("unix:" + (directory / "left")));
    co_await client.send(get("/fixed"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
  };
  f.run(task());

  const std::string file = directory / "notes";
  std::ofstream(file) << "precious";
  HttpServer server(f.loop.io, f.loop.clock, {}, {});
  CHECK(server.listen("unix:" + file).has_error());
  CHECK(exists(file));
}

TEST_CASE("an address in use or not to be understood is an error that names it") {
  ServerFixture f;
  const std::string taken = f.start();
  HttpServer server(f.loop.io, f.loop.clock, {}, {});
  const Result<> in_use = server.listen(taken);
  REQUIRE(in_use.has_error());
  CHECK(in_use.error().code == Errc::io_error);
  CHECK(in_use.error().detail.find(taken) != std::string::npos);
  for (const std::string& bad :
       {std::string(), std::string("7302"), std::string("localhost:7302"), std::string(":7302"),
        std::string("::1:7302"), std::string("127.0.0.1:99999"), std::string("[127.0.0.1]:1"),
        std::string("unix:relative"), "unix:/" + std::string(200, 'x')}) {
    CAPTURE(bad);
    const Result<> refused = server.listen(bad);
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == Errc::bad_input);
  }
  CHECK(server.listen("127.0.0.1:0").has_value());
  CHECK(server.address() != "127.0.0.1:0");
}

TEST_CASE("stopping lets a request under way finish, ends idle connections and accepts no more") {
  ServerFixture f;
  TaskGroup beside(f.loop.io.get_executor(), f.loop.clock);
  auto stop = [&]() -> awaitable<void> { co_await f.server->stop(f.loop.clock.now() + 50s); };
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection idle(f.loop);
    co_await idle.connect(address);
    RawConnection busy(f.loop);
    co_await busy.connect(address);
    co_await busy.send(post("/held", "x"));
    co_await f.entered.wait();
    beside.spawn(stop());
    const std::string nothing = co_await idle.read_to_end();
    CHECK(nothing.empty());
    RawConnection late(f.loop);
    bool refused = false;
    try {
      co_await late.connect(address);
    } catch (const boost::system::system_error&) {
      refused = true;
    }
    CHECK(refused);
    CHECK(beside.size() == 1);
    f.release.notify();
    const http::Response response = co_await busy.read_response();
    CHECK(response.body == "held");
    CHECK(response.headers.find("connection") == "close");
    const std::string rest = co_await busy.read_to_end();
    CHECK(rest.empty());
    busy.close();
    co_await beside.join_until(f.loop.clock.now() + 50s);
    CHECK(f.server->metrics().connections_open == 0);
  };
  f.run(task());
}

TEST_CASE("stopping closes at its deadline what does not come to an end") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 8\r\n\r\nbody");
    while (f.server->metrics().inflight_requests == 0)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    co_await f.server->stop(f.loop.clock.now() + 10ms);
    CHECK(f.server->metrics().connections_open == 0);
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a server that goes without being stopped takes its sockets with it") {
  test::Loop loop;
  std::string address;
  {
    auto held = [](http::Request) -> awaitable<http::Response> { co_return http::Response{204, {}, {}}; };
    HttpServer server(loop.io, loop.clock, {}, {{"GET", "/", 0, {}, held}});
    REQUIRE(server.listen("127.0.0.1:0").has_value());
    address = server.address();
    auto task = [&]() -> awaitable<void> {
      RawConnection client(loop);
      co_await client.connect(address);
      co_await client.send(get("/"));
      const http::Response response = co_await client.read_response();
      CHECK(response.status == 204);
    };
    loop.run(task());
  }
  HttpServer next(loop.io, loop.clock, {}, {});
  CHECK(next.listen(address).has_value());
}

}  // namespace
}  // namespace tideover::server
