// Clients that declare much and send little: who is honest is served, and what they hold is bounded.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "agent/server/byte_budget.h"
#include "tests/unit/agent/server/fixture.h"
#include "wal/base/task_group.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::post;
using test::RawConnection;
using test::ServerFixture;

std::string head_of(std::size_t length) {
  return "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

struct Besieged : ServerFixture {
  bool over = false;
  std::size_t attacks = 0;
  std::size_t most_held = 0;
  TaskGroup attackers{loop.io.get_executor(), loop.clock};

  // Declares as much as is allowed, sends `at_once`, and then a few bytes now and then; comes again when it
  // is cut.
  awaitable<void> attack(std::string address, std::size_t at_once) {
    while (!over) {
      ++attacks;
      RawConnection client(loop);
      co_await client.connect(address);
      bool open = co_await client.send(head_of(limits.body_bytes) + std::string(at_once, 'x'));
      while (open && !over) {
        co_await sleep_until(loop.clock, loop.clock.now() + 20ms);
        most_held = std::max<std::size_t>(most_held, server->metrics().inflight_bytes);
        if (client.socket().available() > 0) break;  // its answer
        open = co_await client.send(std::string(100, 'x'));
      }
    }
  }

  awaitable<void> besiege(std::string address, int n, std::size_t at_once) {
    for (int i = 0; i < n; ++i) attackers.spawn(attack(address, at_once));
    co_await sleep_until(loop.clock, loop.clock.now() + 300ms);
  }
  awaitable<void> end_siege() {
    over = true;
    co_await attackers.join_until(loop.clock.now() + 10s);
  }
};

struct Siege {
  int attackers;
  std::size_t at_once;  // bytes
};

TEST_CASE("slow bodies, few or many, large or small, cost an honest client none of its requests") {
  const auto siege =
      GENERATE(Siege{3, 5}, Siege{3, 99'000}, Siege{32, 5}, Siege{32, 9'000}, Siege{200, 1'400});
  CAPTURE(siege.attackers, siege.at_once);
  Besieged f;
  f.limits.inflight_bytes = 250'000;
  f.limits.body_bytes = 100'000;
  f.limits.patience = 100ms;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    co_await f.besiege(address, siege.attackers, siege.at_once);
    RawConnection honest(f.loop);
    co_await honest.connect(address);
    std::vector<Duration> took;
    for (int i = 0; i < 20; ++i) {
      const std::string body(20'000, 'h');
      const Time began = f.loop.clock.now();
      co_await honest.send(post("/echo", body));
      const http::Response response = co_await honest.read_response();
      CHECK(response.body == body);
      took.push_back(f.loop.clock.now() - began);
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 20ms);
    }
    CHECK(*std::max_element(took.begin(), took.end()) < 1s);
    CHECK(f.handled == 20);
    co_await f.end_siege();
  };
  f.run(task());
  const RefusalCounts& refused = f.server->metrics().refused;
  CHECK(refused[Refusal::crowded_out] == 0);
  CHECK(f.most_held <= f.limits.inflight_bytes);
  if (siege.at_once < 1'000) CHECK(refused[Refusal::gave_way] == 0);  // what is only declared costs nothing
}

TEST_CASE("who gives way is told to come again, and its bytes are free at once") {
  ServerFixture f;
  f.limits.inflight_bytes = 100'000;
  f.limits.body_bytes = 100'000;
  f.limits.patience = 1ms;
  std::string head = head_of(100'000);
  std::string rest;
  SECTION("counted") { rest = std::string(60'000, 'x'); }
  SECTION("chunked") {
    head = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    rest = "ea60\r\n" + std::string(60'000, 'x') + "\r\n";
  }
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection slow(f.loop);
    co_await slow.connect(address);
    co_await slow.send(head + rest);
    while (f.server->metrics().inflight_bytes < 60'000)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    co_await sleep_until(f.loop.clock, f.loop.clock.now() + 100ms);
    RawConnection honest(f.loop);
    co_await honest.connect(address);
    co_await honest.send(post("/echo", std::string(90'000, 'y')));
    const http::Response served = co_await honest.read_response();
    CHECK(served.body.size() == 90'000);
    const http::Response cut = co_await slow.read_response();
    CHECK(cut.status == 503);
    CHECK(cut.headers.find("retry-after") == "1");
    CHECK(cut.headers.find("connection") == "close");
    CHECK(f.server->metrics().refused[Refusal::gave_way] == 1);
    CHECK(f.server->metrics().refused[Refusal::over_budget] == 0);
    CHECK(f.server->metrics().inflight_bytes == 0);
    CHECK(f.handled == 1);
  };
  f.run(task());
}

TEST_CASE("what has come of a counted body is charged, not what was declared") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(head_of(8 << 20) + "few");
    while (f.server->metrics().inflight_bytes == 0)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    CHECK(f.server->metrics().inflight_bytes < 8'000);
    co_await client.send(std::string(100'000, 'x'));
    while (f.server->metrics().inflight_bytes < 100'000)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    CHECK(f.server->metrics().inflight_bytes < 200'000);
  };
  f.run(task());
}

TEST_CASE("an honest client on a slow line is served by a server that has nothing else to do") {
  ServerFixture f;
  f.limits.inflight_bytes = 100'000;
  f.limits.body_bytes = 100'000;
  f.limits.patience = 1ms;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(head_of(100'000));
    for (int i = 0; i < 20; ++i) {
      co_await client.send(std::string(5'000, 'x'));
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 20ms);
    }
    const http::Response response = co_await client.read_response();
    CHECK(response.body.size() == 100'000);
  };
  f.run(task());
}

TEST_CASE("two servers share a budget: the slow bodies of one refuse nothing of the other") {
  Besieged f;
  f.limits.body_bytes = 100'000;
  f.limits.inflight_bytes = 100'000;  // of the server's own
  f.limits.patience = 100ms;
  const auto shared = std::make_shared<ByteBudget>(250'000, f.limits.patience);
  auto swallow = [](http::Request request) -> awaitable<http::Response> {
    co_return http::Response{200, {}, std::to_string(request.body.size())};
  };
  auto task = [&]() -> awaitable<void> {
    f.server = std::make_unique<HttpServer>(f.loop.io, f.loop.clock, f.limits,
                                            std::vector<Route>{{"POST", "/echo", 0, {}, swallow}}, shared);
    HttpServer other(f.loop.io, f.loop.clock, f.limits, {{"POST", "/echo", 0, {}, swallow}}, shared);
    CHECK(f.server->listen("127.0.0.1:0").has_value());
    CHECK(other.listen("127.0.0.1:0").has_value());
    co_await f.besiege(f.server->address(), 10, 40'000);
    RawConnection honest(f.loop);
    co_await honest.connect(other.address());
    for (int i = 0; i < 10; ++i) {
      co_await honest.send(post("/echo", std::string(100'000, 'h')));
      const http::Response response = co_await honest.read_response();
      CHECK(response.body == "100000");
      CHECK(f.server->metrics().inflight_bytes <= 150'000);  // the rest is the other's own
    }
    CHECK(f.most_held > 100'000);
    co_await f.end_siege();
    co_await other.stop(f.loop.clock.now());
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
