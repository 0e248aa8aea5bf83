// Clients that mean harm, or are broken: what they hold is bounded, and others are served meanwhile.
#include <catch2/catch.hpp>

#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::check_echo;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

using Crowd = std::vector<std::unique_ptr<RawConnection>>;

awaitable<void> join(Crowd& crowd, test::Loop& loop, std::string address, std::string words) {
  crowd.push_back(std::make_unique<RawConnection>(loop));
  co_await crowd.back()->connect(std::move(address));
  co_await crowd.back()->send(std::move(words));
}

TEST_CASE("clients that never finish what they began make room for those who do") {
  ServerFixture f;
  f.limits.connections = 8;
  f.limits.patience = 0s;
  std::string words;
  SECTION("a head") { words = "POST /echo HTTP/1.1\r\nHost: te"; }
  SECTION("a counted body") { words = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nab"; }
  SECTION("a chunked body") {
    words = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
  }
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    Crowd crowd;
    for (int i = 0; i < 30; ++i) co_await join(crowd, f.loop, address, words);
    for (int i = 0; i < 10; ++i) {
      RawConnection honest(f.loop);
      co_await honest.connect(address);
      co_await check_echo(honest, "honest");
      co_await join(crowd, f.loop, address, words);
    }
    // The one that was closed last ends on the next turn of the loop.
    CHECK(f.server->metrics().connections_open <= f.limits.connections + 1);
  };
  f.run(task());
}

TEST_CASE("a client that does not read its answers makes room, too") {
  ServerFixture f;
  f.limits.connections = 1;
  f.limits.patience = 0s;
  f.limits.body_bytes = 16 << 20;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection deaf(f.loop);
    co_await deaf.connect(address);
    co_await deaf.send(post("/echo", std::string(12 << 20, 'x')));  // more than the socket's buffers take
    while (f.handled == 0) co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    RawConnection honest(f.loop);
    co_await honest.connect(address);
    co_await check_echo(honest, "honest");
  };
  f.run(task());
}

TEST_CASE("newcomers that say nothing do not cost a client its connection") {
  ServerFixture f;
  f.limits.connections = 8;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection honest(f.loop);
    co_await honest.connect(address);
    co_await check_echo(honest, "first");
    Crowd crowd;
    for (int i = 0; i < 50; ++i) co_await join(crowd, f.loop, address, "");
    co_await check_echo(honest, "second");
  };
  f.run(task());
}

TEST_CASE("a head of very many small fields is 431") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    std::string fields;
    for (int i = 0; i < 300; ++i) fields += "a:\r\n";
    REQUIRE(fields.size() < f.limits.header_bytes);
    co_await client.send(get("/fixed", fields));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 431);
    CHECK(f.server->metrics().refused[Refusal::too_large] == 1);
  };
  f.run(task());
}

TEST_CASE(
    "a body that comes in chunks may use the whole budget, and is not charged for more than its bytes") {
  ServerFixture f;
  f.limits.inflight_bytes = 1 << 20;
  f.limits.body_bytes = 1 << 20;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /headroom HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "2710\r\n" + std::string(10'000, 'x') + "\r\n";
    for (int i = 0; i < 104; ++i) co_await client.send(chunk);
    co_await client.send("0\r\n\r\n");
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 204);
    CHECK(f.seen_body.size() == 32 + 1'040'000);
    CHECK(f.seen_body.capacity() <= 32 + f.limits.body_bytes);  // of which only what was written is memory
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a chunk whose extension never ends is refused") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    co_await client.send(std::string(64 << 10, 'x'));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 400);
    CHECK(f.handled == 0);
  };
  f.run(task());
}

// Beast 1.81 ends the process over an empty body whose end comes as "0\r\n" and then one byte.
TEST_CASE("a chunked body may come in pieces of any size") {
  const std::string body = GENERATE("0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "3;a=b\r\nxyz\r\n0\r\nA: b\r\n\r\n");
  const auto cut = GENERATE(as<std::size_t>(), 1, 2, 3, 4);
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /headroom HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (std::size_t at = 0; at < body.size(); at += cut) {
      co_await client.send(body.substr(at, cut));
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);  // the server reads what is there
    }
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 204);
    CHECK(f.seen_body.size() == 32 + (body[0] == '0' ? 0 : static_cast<std::size_t>(body[0] - '0')));
  };
  f.run(task());
}

TEST_CASE("requests without end on one connection are answered in their order, one at a time") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    std::string flood;
    for (int i = 0; i < 500; ++i) flood += post("/echo", std::to_string(i));
    co_await client.send(flood);
    for (int i = 0; i < 500; ++i) {
      const http::Response response = co_await client.read_response();
      CHECK(response.body == std::to_string(i));
      CHECK(f.server->metrics().inflight_requests <= 1);
    }
  };
  f.run(task());
}

TEST_CASE("a client that has said its last word still gets its answer") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/echo", "last"));
    client.socket().shutdown(boost::asio::socket_base::shutdown_send);
    const http::Response response = co_await client.read_response();
    CHECK(response.body == "last");
    const std::string rest = co_await client.read_to_end();
    CHECK(rest.empty());
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
