// From one image of the process to the next: two servers here, the first's sockets handed to the second.
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/server/listener.h"
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

struct HandOver : ServerFixture {
  HttpServer next{loop.io,
                  loop.clock,
                  {},
                  {{"POST", "/echo", 0, {}, [](http::Request request) -> awaitable<http::Response> {
                      co_return http::Response{201, {}, std::move(request.body)};
                    }}}};

  HandOver() {
    next.on_warning([this](std::string_view sentence) { warnings.emplace_back(sentence); });
  }

  awaitable<Sockets> hand_over() {
    Sockets sockets = co_await server->hand_over(loop.clock.now() + 50s);
    co_return sockets;
  }

  awaitable<void> require_next_answers(RawConnection& client) {
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 201);  // the first server answers 200
    CHECK(response.body == "after");
  }

  void run_all(awaitable<void> task) {
    auto both = [this](awaitable<void> first) -> awaitable<void> {
      co_await std::move(first);
      co_await next.stop(loop.clock.now());
    };
    run(both(std::move(task)));
  }
};

TEST_CASE("whoever is connected, writes meanwhile or connects meanwhile is answered by the next server") {
  HandOver f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection idle(f.loop);
    RawConnection writes(f.loop);
    for (RawConnection* client : {&idle, &writes}) {
      co_await client->connect(address);
      co_await client->send(post("/echo", "before"));
      const http::Response response = co_await client->read_response();
      CHECK(response.status == 200);
    }
    RawConnection silent(f.loop);  // never sent a byte
    co_await silent.connect(address);
    Sockets sockets = co_await f.hand_over();
    const std::string asked_for = sockets.address;
    CHECK(asked_for == "127.0.0.1:0");       // and the port that was picked then is kept
    CHECK(sockets.connections.size() >= 2);  // the silent one may still wait in the backlog
    CHECK(f.server->metrics().connections_open == 0);

    co_await writes.send(post("/echo", "after"));
    RawConnection late(f.loop);
    co_await late.connect(address);
    co_await late.send(post("/echo", "after"));
    REQUIRE(f.next.listen(asked_for, std::move(sockets)).has_value());
    CHECK(f.next.address() == address);
    co_await f.require_next_answers(writes);
    co_await f.require_next_answers(late);
    for (RawConnection* client : {&idle, &silent}) {
      co_await client->send(post("/echo", "after"));
      co_await f.require_next_answers(*client);
    }
    CHECK(f.warnings.empty());
  };
  f.run_all(task());
}

TEST_CASE("a request under way is answered before its connection is handed over, and keeps it") {
  HandOver f;
  TaskGroup beside(f.loop.io.get_executor(), f.loop.clock);
  Sockets sockets;
  auto hand_over = [&]() -> awaitable<void> { sockets = co_await f.hand_over(); };
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(post("/held", "x"));
    co_await f.entered.wait();
    beside.spawn(hand_over());
    co_await client.send(post("/echo", "after"));
    f.release.notify();
    const http::Response response = co_await client.read_response();
    CHECK(response.body == "held");
    CHECK_FALSE(response.headers.has("connection"));
    co_await beside.join_until(f.loop.clock.now() + 50s);
    CHECK(sockets.connections.size() == 1);
    REQUIRE(f.next.listen(address, std::move(sockets)).has_value());
    co_await f.require_next_answers(client);
  };
  f.run_all(task());
}

TEST_CASE("a request that does not arrive in time is told to come again, and holds nobody up") {
  HandOver f;
  std::string beginning;
  SECTION("its head is cut short") { beginning = "POST /echo HTTP/1.1\r\nHost: te"; }
  SECTION("its body is cut short") {
    beginning = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc";
  }
  auto task = [&]() -> awaitable<void> {
    RawConnection slow(f.loop);
    co_await slow.connect(f.start());
    co_await slow.send(beginning);
    RawConnection idle(f.loop);
    co_await idle.connect(f.server->address());
    while (f.server->metrics().connections_open < 2)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    Sockets sockets = co_await f.hand_over();
    CHECK(sockets.connections.size() == 1);
    const http::Response response = co_await slow.read_response();
    CHECK(response.status == 503);
    CHECK(response.headers.has("retry-after"));
    CHECK(response.headers.find("connection") == "close");
    close_sockets(sockets);
  };
  f.run_all(task());
}

TEST_CASE("a unix socket is handed over with its file, and the last server takes that away") {
  HandOver f;
  TempDirectory directory;
  const std::string path = directory / "admin.sock";
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start("unix:" + path);
    Sockets sockets = co_await f.hand_over();
    f.server.reset();
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(post("/echo", "after"));
    REQUIRE(f.next.listen(address, std::move(sockets)).has_value());
    CHECK(f.warnings.empty());
    co_await f.require_next_answers(client);
  };
  f.run_all(task());
  struct stat status {};
  CHECK(::lstat(path.c_str(), &status) != 0);
}

TEST_CASE("a unix socket whose file is gone is not handed over: nobody could reach it") {
  HandOver f;
  TempDirectory directory;
  const std::string path = directory / "admin.sock";
  auto task = [&]() -> awaitable<void> {
    f.start("unix:" + path);
    ::unlink(path.c_str());
    const Sockets sockets = co_await f.hand_over();
    CHECK(sockets.listener == -1);
  };
  f.run_all(task());
}

ino_t inode_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

TEST_CASE("what is inherited and does not listen on the address is closed, and the address bound anew") {
  HandOver f;
  int descriptor = -1;
  int ends[2] = {-1, -1};
  SECTION("another address") {
    auto other = open_listener(f.loop.io, "127.0.0.1:0");
    REQUIRE(other.has_value());
    descriptor = release_listener(*other);
  }
  SECTION("a socket that does not listen") { descriptor = ::socket(AF_INET, SOCK_STREAM, 0); }
  SECTION("no socket") {
    REQUIRE(::pipe(ends) == 0);
    descriptor = ends[0];
  }
  SECTION("no descriptor") { descriptor = 999'999; }
  const ino_t inode = inode_of(descriptor);
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    co_await f.server->stop(f.loop.clock.now());
    REQUIRE(f.next.listen(address, Sockets{address, descriptor, {}}).has_value());
    CHECK(f.warnings.size() == 1);
    CHECK((inode_of(descriptor) == 0 || inode_of(descriptor) != inode));  // numbers are used again
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(post("/echo", "after"));
    co_await f.require_next_answers(client);
  };
  f.run_all(task());
  if (ends[1] >= 0) ::close(ends[1]);
}

TEST_CASE("an address may overlap one of our own sockets, and nobody else's") {
  HandOver f;
  const std::string address = f.start();
  const std::string everywhere = "0.0.0.0" + address.substr(address.rfind(':'));
  CHECK(open_listener(f.loop.io, everywhere).has_error());
  const int ours[] = {f.server->descriptor()};
  auto beside = open_listener(f.loop.io, everywhere, ours);
  REQUIRE(beside.has_value());
  CHECK(open_listener(f.loop.io, address).has_error());  // the door is shut again behind it
  CHECK(open_listener(f.loop.io, everywhere).has_error());

  auto theirs = open_listener(f.loop.io, "127.0.0.1:0");
  REQUIRE(theirs.has_value());
  CHECK(open_listener(f.loop.io, theirs->address, ours).has_error());
  auto nothing = []() -> awaitable<void> { co_return; };
  f.run_all(nothing());
}

TEST_CASE("stopping answers what has arrived and those who wait to be accepted") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection kept(f.loop);
    co_await kept.connect(address);
    co_await kept.send(get("/fixed"));
    const http::Response first = co_await kept.read_response();
    CHECK(first.status == 200);
    // Sent without a turn of the loop in between: the server has seen neither of them.
    RawConnection waiting(f.loop);
    const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    waiting.socket().connect(boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
    for (RawConnection* client : {&kept, &waiting}) {
      const std::string request = get("/fixed");
      client->socket().send(boost::asio::buffer(request));
    }
    co_await f.server->stop(f.loop.clock.now() + 50s);
    for (RawConnection* client : {&kept, &waiting}) {
      const http::Response response = co_await client->read_response();
      CHECK(response.status == 200);
      CHECK(response.headers.find("connection") == "close");
    }
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
