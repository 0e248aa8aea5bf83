// What clients share: bytes, connections, and the time of a server that ends. Nobody's share is held back,
// and nobody is taken for somebody else.
#include <catch2/catch.hpp>

#include "agent/server/listener.h"
#include "tests/unit/agent/server/fixture.h"
#include "wal/base/task_group.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

// Waits until the server has come so far, as far as its own figures tell.
template <class Condition>
awaitable<void> until(ServerFixture& f, Condition reached) {
  while (!reached()) co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
}

TEST_CASE("a body larger than all that may be under way is refused for good, not asked to come again") {
  ServerFixture f;
  f.limits.body_bytes = 1000;
  f.limits.inflight_bytes = 500;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    for (const auto& [size, status] : {std::pair(500, 200), std::pair(501, 413)}) {
      RawConnection client(f.loop);
      co_await client.connect(address);
      co_await client.send(post("/echo", std::string(static_cast<std::size_t>(size), 'x')));
      const http::Response response = co_await client.read_response();
      CHECK(response.status == status);
    }
  };
  f.run(task());
}

TEST_CASE("the bytes of a body that comes in chunks are charged while they come, and given back") {
  ServerFixture f;
  f.limits.inflight_bytes = 1000;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection chunks(f.loop);
    co_await chunks.connect(address);
    co_await chunks.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n" +
                         std::string(600, 'x') + "\r\n");
    co_await until(f, [&f] { return f.server->metrics().inflight_bytes == 600; });
    CHECK(f.server->metrics().inflight_requests == 1);
    RawConnection other(f.loop);
    co_await other.connect(address);
    co_await other.send(post("/echo", std::string(500, 'y')));
    const http::Response refused = co_await other.read_response();
    CHECK(refused.status == 503);
    co_await chunks.send("0\r\n\r\n");
    const http::Response echoed = co_await chunks.read_response();
    CHECK(echoed.body.size() == 600);
    co_await until(f, [&f] { return f.server->metrics().inflight_requests == 0; });
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a client that is slow to read its answer holds none of the bytes of its request") {
  ServerFixture f;
  f.limits.body_bytes = f.limits.inflight_bytes = 32 << 20;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/echo", std::string(24 << 20, 'x')));  // more than the socket's buffers take
    co_await until(f, [&f] { return f.handled == 1; });
    co_await until(f, [&f] { return f.server->metrics().inflight_bytes == 0; });
    CHECK(f.server->metrics().inflight_requests == 1);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
  };
  f.run(task());
}

TEST_CASE("a request that is arriving when the server stops is given a second to arrive") {
  ServerFixture f;
  TaskGroup beside(f.loop.io.get_executor(), f.loop.clock);
  auto stop = [&f]() -> awaitable<void> { co_await f.server->stop(f.loop.clock.now() + 50s); };
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    co_await until(f, [&f] { return f.server->metrics().inflight_requests == 1; });
    beside.spawn(stop());
    co_await sleep_until(f.loop.clock,
                         f.loop.clock.now() + 300ms);  // well beyond what an idle client is given
    co_await client.send("def");
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
    CHECK(response.body == "abcdef");
    co_await beside.join_until(f.loop.clock.now() + 50s);
  };
  f.run(task());
}

TEST_CASE(
    "a request that does not arrive holds up the end of the server for a second, not for all its time") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    co_await until(f, [&f] { return f.server->metrics().inflight_requests == 1; });
    const Time began = f.loop.clock.now();
    co_await f.server->stop(began + 20s);
    CHECK(f.loop.clock.now() - began < 10s);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 503);
  };
  f.run(task());
}

struct Inheriting : ServerFixture {
  // Two servers, the second of which takes over `clients` connections that have had an answer from the first.
  awaitable<void> take_over(std::vector<std::unique_ptr<RawConnection>>& clients, std::size_t n) {
    const std::string address = start();
    for (std::size_t i = 0; i < n; ++i) {
      clients.push_back(std::make_unique<RawConnection>(loop));
      co_await clients.back()->connect(address);
      co_await clients.back()->send(get("/fixed"));
      const http::Response response = co_await clients.back()->read_response();
      CHECK(response.status == 200);
    }
    Sockets sockets = co_await server->hand_over(loop.clock.now() + 50s);
    first = std::move(server);
    start_with(address, std::move(sockets));
  }
  std::unique_ptr<HttpServer> first;
};

TEST_CASE(
    "a connection that was inherited has the time of a client between requests, not that of a newcomer") {
  Inheriting f;
  f.limits.header_time = 50ms;
  auto task = [&]() -> awaitable<void> {
    std::vector<std::unique_ptr<RawConnection>> clients;
    co_await f.take_over(clients, 1);
    co_await sleep_until(f.loop.clock, f.loop.clock.now() + 200ms);
    co_await clients[0]->send(get("/fixed"));
    const http::Response response = co_await clients[0]->read_response();
    CHECK(response.status == 200);
  };
  f.run(task());
}

TEST_CASE("when room is made, a newcomer goes before a connection that was inherited") {
  Inheriting f;
  f.limits.connections = 2;
  auto task = [&]() -> awaitable<void> {
    std::vector<std::unique_ptr<RawConnection>> clients;
    co_await f.take_over(clients, 1);
    RawConnection silent(f.loop);
    co_await silent.connect(f.server->address());
    co_await until(f, [&f] { return f.server->metrics().connections_open == 2; });
    RawConnection third(f.loop);
    co_await third.connect(f.server->address());
    co_await third.send(get("/fixed"));
    const http::Response response = co_await third.read_response();
    CHECK(response.status == 200);
    const std::string all = co_await silent.read_to_end();
    CHECK(all.empty());
    co_await clients[0]->send(get("/fixed"));
    const http::Response kept = co_await clients[0]->read_response();
    CHECK(kept.status == 200);
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
