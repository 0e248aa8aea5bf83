#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/server/body.h"
#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::check_echo;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

TEST_CASE("a body must come at the least rate once its grace is over, and whole by its time") {
  ServerLimits limits;
  limits.body_bytes_per_second_min = 1000;
  limits.body_time = 30s;
  const Time start{};
  CHECK(body_deadline(limits, start, 0) == start + 5s);
  CHECK(body_deadline(limits, start, 5'000) == start + 5s);
  CHECK(body_deadline(limits, start, 7'500) == start + 7500ms);
  CHECK(body_deadline(limits, start, 10'000'000) == start + 30s);
}

TEST_CASE("a head that does not come to its end is told so and cut") {
  ServerFixture f;
  f.limits.header_time = 20ms;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: te");
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 503);  // Prometheus drops what is answered with 4xx
    CHECK(response.headers.find("connection") == "close");
    CHECK(f.server->metrics().refused[Refusal::slow] == 1);
  };
  f.run(task());
}

TEST_CASE("a client that never says anything is let go without a word") {
  ServerFixture f;
  f.limits.header_time = 20ms;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    const std::string all = co_await client.read_to_end();
    CHECK(all.empty());
  };
  f.run(task());
}

TEST_CASE("a client between requests has the idle time, not that of a head") {
  ServerFixture f;
  f.limits.idle_time = 20ms;
  f.limits.header_time = 50s;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(get("/fixed"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
    const std::string all = co_await client.read_to_end();
    CHECK(all.empty());
    CHECK(f.server->metrics().refused[Refusal::slow] == 0);
  };
  f.run(task());
}

TEST_CASE("a body that does not come to its end is told so and cut, and its bytes are given back") {
  ServerFixture f;
  f.limits.body_time = 20ms;
  std::string request;
  SECTION("counted") { request = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc"; }
  SECTION("chunked") {
    request = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
  }
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(request);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 503);  // Prometheus drops what is answered with 4xx
    CHECK(f.server->metrics().refused[Refusal::slow] == 1);
    CHECK(f.server->metrics().inflight_bytes == 0);
    CHECK(f.handled == 0);
  };
  f.run(task());
}

TEST_CASE("a client that does not read its answer is cut") {
  ServerFixture f;
  f.limits.write_time = 20ms;
  f.limits.body_bytes = 16 << 20;
  const std::string large(12 << 20, 'x');  // more than the socket's buffers take
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/echo", large));
    while (f.server->metrics().connections_open > 0)
      co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
    const std::string all = co_await client.read_to_end();
    CHECK(all.size() < large.size());
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a head beyond its limit is 431") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(get("/fixed", "X-Large: " + std::string(f.limits.header_bytes, 'x') + "\r\n"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 431);
    CHECK(f.server->metrics().refused[Refusal::too_large] == 1);
  };
  f.run(task());
}

TEST_CASE("a body beyond its limit is refused by its length, before any of it comes") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 8388609\r\n\r\n");
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 413);
    CHECK(f.server->metrics().refused[Refusal::too_large] == 1);
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a body that grows beyond its limit chunk by chunk is 413 there") {
  ServerFixture f;
  f.limits.body_bytes = 1000;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
    for (int i = 0; i < 3; ++i) co_await client.send(chunk);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 413);
    CHECK(f.handled == 0);
    CHECK(f.server->metrics().inflight_bytes == 0);
  };
  f.run(task());
}

TEST_CASE("a client that sends all of a refused body before it reads still gets the answer") {
  ServerFixture f;
  f.limits.body_bytes = 1 << 20;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    const bool sent = co_await client.send(post("/echo", std::string(20 << 20, 'x')));
    CHECK(sent);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 413);
  };
  f.run(task());
}

TEST_CASE("bytes under way have one budget: beyond it 503 with Retry-After, and then room again") {
  ServerFixture f;
  f.limits.inflight_bytes = 10'000;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection holder(f.loop);
    co_await holder.connect(address);
    co_await holder.send(post("/held", std::string(8'000, 'x')));
    co_await f.entered.wait();
    CHECK(f.server->metrics().inflight_bytes == 8'000);
    CHECK(f.server->metrics().inflight_requests == 1);

    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(post("/echo", std::string(2'001, 'x')));
    const http::Response refused = co_await client.read_response();
    CHECK(refused.status == 503);
    CHECK(refused.headers.find("retry-after") == "1");
    co_await client.send(post("/echo", std::string(2'000, 'x')));
    const http::Response fits = co_await client.read_response();
    CHECK(fits.status == 200);

    RawConnection chunked(f.loop);
    co_await chunked.connect(address);
    co_await chunked.send("POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    co_await chunked.send("7d1\r\n" + std::string(2'001, 'x') + "\r\n0\r\n\r\n");
    const http::Response grown = co_await chunked.read_response();
    CHECK(grown.status == 503);

    f.release.notify();
    const http::Response held = co_await holder.read_response();
    CHECK(held.status == 200);
    CHECK(f.server->metrics().inflight_bytes == 0);
    co_await client.send(post("/echo", std::string(10'000, 'x')));
    const http::Response room = co_await client.read_response();
    CHECK(room.status == 200);
  };
  f.run(task());
}

TEST_CASE("honest clients are served while three hundred idle connections sit there") {
  ServerFixture f;  // 256 connections: the idle ones make room
  REQUIRE(f.limits.connections < 300);
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    std::vector<std::unique_ptr<RawConnection>> idle;
    for (int i = 0; i < 300; ++i) {
      idle.push_back(std::make_unique<RawConnection>(f.loop));
      co_await idle.back()->connect(address);
    }
    std::vector<std::unique_ptr<RawConnection>> honest;
    for (int i = 0; i < 10; ++i) {
      honest.push_back(std::make_unique<RawConnection>(f.loop));
      co_await honest.back()->connect(address);
    }
    for (int round = 0; round < 3; ++round)
      for (auto& client : honest) {
        co_await check_echo(*client, "honest");
      }
    CHECK(f.server->metrics().connections_open <= f.limits.connections);
    CHECK(f.server->metrics().refused[Refusal::connections] == 0);
  };
  f.run(task());
}

TEST_CASE("when every connection is at work, one more is told so") {
  ServerFixture f;
  f.limits.connections = 1;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection holder(f.loop);
    co_await holder.connect(address);
    co_await holder.send(post("/held", "x"));
    co_await f.entered.wait();
    RawConnection client(f.loop);
    co_await client.connect(address);
    co_await client.send(get("/fixed"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 503);
    CHECK(response.headers.find("connection") == "close");
    CHECK(f.server->metrics().refused[Refusal::connections] == 1);
    f.release.notify();
    const http::Response held = co_await holder.read_response();
    CHECK(held.status == 200);
  };
  f.run(task());
}

// Takes every file descriptor that is left, and gives them back.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &lower);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_CASE("a client that came while descriptors were used up is served when there are some again") {
#ifdef __SANITIZE_ADDRESS__
  // The sanitizers ask through a pipe whether memory can be read: without descriptors every object looks
  // broken to them.
  WARN("skipped: the sanitizers need descriptors themselves");
  return;
#endif
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection client(f.loop);
    {
      client.socket().open(boost::asio::ip::tcp::v4());  // the client's own descriptor
      const NoDescriptors none;
      co_await client.connect(address);
      while (f.warnings.empty()) co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
      CHECK(f.warnings[0].find("cannot accept") != std::string::npos);
    }
    co_await client.send(get("/fixed"));
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
