// One answer per request, whatever the peer sends: HTTP/1.1 tells an answer from another by its place alone,
// and a refused batch that is taken for a delivered one is lost.
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tests/unit/forwarders/http/tls_fixture.h"
#include "wal/base/notifier.h"

namespace tideover::http {
namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::TlsFixture;

const std::string kFirst = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
const std::string kStale = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale";
const std::string kRefused = "HTTP/1.1 503 Unavailable\r\nContent-Length: 6\r\n\r\nsecond";
// More than the buffers of both ends take together.
constexpr std::size_t kUnread = 16 << 20;

// A peer that misbehaves, over plain TCP or TLS.
struct Misbehaving : TlsFixture {
  const bool tls = GENERATE(false, true);

  Misbehaving() { open(tls ? tls_options() : options()); }

  awaitable<std::unique_ptr<RawConnection>> next_connection() {
    auto connection = co_await peer.accept();
    // What is sent leaves at once, not with the acknowledgement of the next request.
    const int on = 1;
    ::setsockopt(connection->socket().native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tls) {
      const bool secure = co_await connection->secure_as_server(context);
      CHECK(secure);
    }
    co_return connection;
  }

  // What is sent while corked leaves in one segment, so that one read brings all of its TLS records.
  static void cork(RawConnection& connection, bool on) {
    const int value = on ? 1 : 0;
    ::setsockopt(connection.socket().native_handle(), IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
  }

  // Refuses the one request of a connection of its own.
  awaitable<void> refuse_second() {
    auto connection = co_await next_connection();
    const Request request = co_await connection->read_request();
    CHECK(request.body == "two");
    co_await connection->send(kRefused);
    co_await connection->read_to_end();
  }

  // The second request is refused, and nothing that was said before may be taken for that.
  awaitable<void> first_passes_and_second_is_refused() {
    const Result<Response> one = co_await post("one");
    REQUIRE(one.has_value());
    CHECK(one->status / 100 != 5);
    co_await sleep_until(loop.clock, loop.clock.now() + idle);
    const Result<Response> two = co_await post("two");
    REQUIRE(two.has_value());
    CHECK(two->status == 503);
    CHECK(two->body == "second");
  }

  Duration idle{};  // between the two
};

TEST_CASE("what follows an answer in the same segment is not the answer to the next request") {
  Misbehaving f;
  std::vector<std::string> pieces;  // each a TLS record
  std::string raw;                  // behind them, not even a whole record
  SECTION("a second answer") { pieces = {kFirst, kStale}; }
  SECTION("three of them in one record") { pieces = {kFirst + kStale + kStale}; }
  SECTION("the beginning of one") { pieces = {kFirst, "HTTP/1.1 2"}; }
  SECTION("an interim answer") { pieces = {kFirst, "HTTP/1.1 100 Continue\r\n\r\n"}; }
  SECTION("an answer behind an interim one") { pieces = {kFirst, "HTTP/1.1 100 Continue\r\n\r\n", kStale}; }
  SECTION("a body where there is none") { pieces = {"HTTP/1.1 204 No Content\r\n\r\n", kStale}; }
  SECTION("behind a chunked body") {
    pieces = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n", kStale};
  }
  SECTION("a protocol that was not asked for") { pieces = {"HTTP/1.1 101 Switching Protocols\r\n\r\n"}; }
  SECTION("one byte") {
    pieces = {kFirst};
    raw = "\x17";  // of a TLS record
  }
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.next_connection();
    co_await connection->read_request();
    f.cork(*connection, true);
    for (const std::string& piece : pieces) co_await connection->send(piece);
    if (!raw.empty())
      co_await boost::asio::async_write(connection->socket(), boost::asio::buffer(raw),
                                        boost::asio::use_awaitable);
    f.cork(*connection, false);
    co_await f.refuse_second();
  };
  f.loop.spawn(serve());
  f.loop.run(f.first_passes_and_second_is_refused());
}

TEST_CASE("an answer to nothing, on an idle connection, is not the answer to the next request") {
  Misbehaving f;
  f.idle = 20ms;
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.next_connection();
    co_await connection->read_request();
    co_await connection->send(kFirst);
    co_await sleep_until(f.loop.clock, f.loop.clock.now() + 5ms);
    co_await connection->send(kStale);
    co_await f.refuse_second();
  };
  f.loop.spawn(serve());
  f.loop.run(f.first_passes_and_second_is_refused());
}

// What a request meets whose peer answers when it has read no more than its beginning.
struct Early : Misbehaving {
  std::string answer;
  bool pooled = false;
  std::size_t bytes = kUnread;
  bool resets = false;

  awaitable<void> serve() {
    auto connection = co_await next_connection();
    if (pooled) {
      co_await connection->read_request();
      co_await connection->send(kFirst);
      co_await connection->wait_readable();
    }
    co_await connection->send(answer);
    if (resets)
      connection->reset();
    else
      co_await sleep_until(loop.clock, loop.clock.now() + 10s);
  }

  Result<Response> outcome() {
    loop.spawn(serve());
    Result<Response> response = fail(Errc::stopping, "not run");
    auto task = [&]() -> awaitable<void> {
      if (pooled) {
        const Result<Response> first = co_await post("one");
        REQUIRE(first.has_value());
      }
      response = co_await post(std::string(bytes, 'x'));
    };
    loop.run(task());
    return response;
  }
};

TEST_CASE(
    "an answer about the data, from a peer that has not had the data, leaves it open what became of it") {
  Early f;
  f.answer =
      GENERATE(as<std::string>(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
               "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
               "HTTP/1.1 409 Conflict\r\nContent-Length: 16\r\n\r\nduplicate sample");
  f.pooled = GENERATE(false, true);
  SECTION("and stays") {}
  SECTION("and is gone") { f.resets = true; }
  SECTION("though our own host has taken all of it") { f.bytes = 500'000; }
  const Result<Response> response = f.outcome();
  REQUIRE(response.has_error());
  CHECK(response.error().code == Errc::connection_lost);
}

TEST_CASE("a size that is refused before it was sent is believed where the answer cannot be left over") {
  Early f;
  f.answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
  f.pooled = GENERATE(false, true);
  const Result<Response> response = f.outcome();
  CHECK(response.has_value() == !f.pooled);
  if (response) CHECK(response->status == 413);
}

TEST_CASE("a refusal that does not speak of the data ends the request before it has been sent") {
  Early f;
  f.answer = "HTTP/1.1 503 Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
  f.pooled = GENERATE(false, true);
  const Time begun = f.loop.clock.now();
  const Result<Response> response = f.outcome();
  REQUIRE(response.has_value());
  CHECK(response->status == 503);
  CHECK(response->headers.find("retry-after") == "7");
  CHECK(f.loop.clock.now() - begun < 5s);  // a slow line is not kept busy with the rest
}

TEST_CASE("a long request that is answered in time leaves its connection for the next one") {
  Misbehaving f;
  std::size_t connections = 0;
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.next_connection();
    ++connections;
    for (int i = 0; i < 20; ++i) {
      const Request request = co_await connection->read_request();
      if (request.method.empty()) co_return;
      co_await connection->send("HTTP/1.1 100 Continue\r\n\r\n" + test::kNoContent);
    }
  };
  auto task = [&]() -> awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      const Result<Response> response = co_await f.post(std::string(i % 2 == 0 ? 3 << 20 : 10, 'x'));
      REQUIRE(response.has_value());
      CHECK(response->status == 204);
    }
  };
  f.loop.spawn(serve());
  f.loop.run(task());
  CHECK(connections == 1);
}

}  // namespace
}  // namespace tideover::http
