// Answers given before, or in spite of, the body.
#include <catch2/catch.hpp>

#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::post;
using test::RawConnection;
using test::ServerFixture;

TEST_CASE("an answer from the head alone leaves the connection usable when the body is small") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/typed", std::string(60'000, 'x')) +
                         post("/typed", "good", "Content-Type: application/x-protobuf\r\n"));
    const http::Response refused = co_await client.read_response();
    CHECK(refused.status == 415);
    CHECK_FALSE(refused.headers.has("connection"));
    const http::Response taken = co_await client.read_response();
    CHECK(taken.status == 204);
    CHECK(f.seen_body == "good");
    CHECK(f.handled == 1);
  };
  f.run(task());
}

TEST_CASE("an answer from the head alone is heard although a large body follows") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(post("/typed", std::string(8 << 20, 'x')));
    const http::Response refused = co_await client.read_response();
    CHECK(refused.status == 415);
    CHECK(refused.headers.find("connection") == "close");
    const std::string rest = co_await client.read_to_end();
    CHECK(rest.empty());
    CHECK(f.handled == 0);
  };
  f.run(task());
}

TEST_CASE("an answer from the head alone closes a chunked request, whose end is not known") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /typed HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    const http::Response refused = co_await client.read_response();
    CHECK(refused.status == 415);
    CHECK(refused.headers.find("connection") == "close");
  };
  f.run(task());
}

TEST_CASE("a client that asks before it sends is told to go on, once its head is accepted") {
  ServerFixture f;
  const std::string fields = "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send("POST /echo HTTP/1.1\r\nHost: test\r\n" + fields);
    const http::Response interim = co_await client.read_response();
    CHECK(interim.status == 100);
    co_await client.send("body");
    const http::Response response = co_await client.read_response();
    CHECK(response.body == "body");
  };
  f.run(task());
}

TEST_CASE("a client that asks before it sends gets the refusal instead, and no word to go on") {
  ServerFixture f;
  std::string request;
  int status = 0;
  SECTION("by the route") {
    request = "POST /typed HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    status = 415;
  }
  SECTION("by its length") {
    request = "POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n";
    status = 413;
  }
  SECTION("by an expectation that nobody knows") {
    request = "POST /echo HTTP/1.1\r\nHost: test\r\nExpect: a miracle\r\nContent-Length: 4\r\n\r\n";
    status = 417;
  }
  auto task = [&]() -> awaitable<void> {
    RawConnection client(f.loop);
    co_await client.connect(f.start());
    co_await client.send(request);
    const http::Response refused = co_await client.read_response();
    CHECK(refused.status == status);
    CHECK(refused.headers.find("connection") == "close");
  };
  f.run(task());
}

TEST_CASE("what is not a request, or could be two, is 400 and the end of the connection") {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: test\r\n";
  const std::string smuggled = get("/fixed");
  const std::string requests[] = {
      "\x16\x03\x01\x02",
      "nonsense\r\n\r\n",
      "GET /fixed HTTP/3.7\r\nHost: test\r\n\r\n",
      "GET /fixed HTTP/1.1\r\n\r\n",
      head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
      head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + smuggled,
      head + "Content-Length: 4\r\nContent-Length: 40\r\n\r\nbody" + smuggled,
      head + "Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\nbody" + smuggled,
      head + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody-and-more\r\n0\r\n\r\n" + smuggled,
  };
  for (const std::string& request : requests) {
    CAPTURE(request);
    ServerFixture f;
    auto task = [&]() -> awaitable<void> {
      RawConnection client(f.loop);
      co_await client.connect(f.start());
      co_await client.send(request);
      const http::Response response = co_await client.read_response();
      CHECK(response.status == 400);
      CHECK(response.headers.find("connection") == "close");
      const std::string rest = co_await client.read_to_end();
      CHECK(rest.empty());
      CHECK(f.handled == 0);
      CHECK(f.server->metrics().refused[Refusal::bad_request] == 1);
    };
    f.run(task());
  }
}

// Every way a client can go away in the middle of a request.
TEST_CASE("a client that leaves at any step leaves nothing behind") {
  const std::vector<std::string> steps = {
      "POST /echo HT", "TP/1.1\r\nHost: test\r\n", "Content-Length: 8\r\n", "\r\n", "body", "more"};
  const std::vector<std::string> chunked = {"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Enc",
                                            "oding: chunked\r\n\r\n",
                                            "4\r\nbo",
                                            "dy\r\n",
                                            "0\r\n",
                                            "\r\n"};
  for (const auto& script : {steps, chunked})
    for (const bool reset : {false, true})
      for (std::size_t k = 0; k <= script.size(); ++k) {
        CAPTURE(script[0], reset, k);
        ServerFixture f;
        auto task = [&]() -> awaitable<void> {
          const std::string address = f.start();
          {
            RawConnection client(f.loop);
            co_await client.connect(address);
            for (std::size_t i = 0; i < k; ++i) co_await client.send(script[i]);
            if (reset) client.reset();
          }
          RawConnection next(f.loop);
          co_await next.connect(address);
          co_await next.send(get("/fixed"));
          const http::Response response = co_await next.read_response();
          CHECK(response.status == 200);
          while (f.server->metrics().connections_open > 1)
            co_await sleep_until(f.loop.clock, f.loop.clock.now() + 1ms);
          CHECK(f.server->metrics().inflight_bytes == 0);
          CHECK(f.server->metrics().inflight_requests == 0);
          CHECK(f.warnings.empty());
        };
        f.run(task());
      }
}

}  // namespace
}  // namespace tideover::server
