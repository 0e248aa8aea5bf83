#include "forwarders/http/beast_transport.h"

#include <boost/asio/ip/v6_only.hpp>
#include <catch2/catch.hpp>

#include "tests/unit/forwarders/http/fixture.h"
#include "wal/base/notifier.h"

namespace tideover::http {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::kNoContent;
using test::RawConnection;
using test::TransportFixture;

TEST_CASE("requests one after the other share a connection") {
  TransportFixture f;
  std::vector<Request> seen;
  f.loop.spawn(answer(f.peer, 3, kNoContent, &seen));
  auto task = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const Result<Response> response = co_await f.post("body " + std::to_string(i));
      REQUIRE(response.has_value());
      CHECK(response->status == 204);
    }
  };
  f.loop.run(task());
  REQUIRE(seen.size() == 3);  // all by the one connection that was accepted
  CHECK(seen[2].body == "body 2");
}

TEST_CASE("a request carries the path of the URL, the fixed fields and its own") {
  TransportFixture f;
  TransportOptions options = f.options();
  options.url = f.peer.url("/prefix/");
  options.headers = {{"THANOS-TENANT", "app1"}, {"X-Both", "fixed"}};
  f.open(std::move(options));
  std::vector<Request> seen;
  f.loop.spawn(answer(f.peer, 2, kNoContent, &seen));
  auto task = [&]() -> awaitable<void> {
    const Time deadline = f.loop.clock.now() + 10s;
    Request first{"POST", "/in?x=1", {{"Content-Type", "application/x-protobuf"}, {"X-Both", "own"}}, "body"};
    const Result<Response> one = co_await f.transport->send(std::move(first), deadline);
    CHECK(one.has_value());
    Request second{"GET", "", {{"Host", "ignored"}}, ""};
    const Result<Response> two = co_await f.transport->send(std::move(second), deadline);
    CHECK(two.has_value());
  };
  f.loop.run(task());
  REQUIRE(seen.size() == 2);
  const Headers& headers = seen[0].headers;
  CHECK(seen[0].target == "/prefix/in?x=1");
  CHECK(headers.find("host") == "127.0.0.1:" + f.peer.port());
  CHECK(headers.find("user-agent").substr(0, 9) == "tideover/");
  CHECK(headers.find("thanos-tenant") == "app1");
  CHECK(headers.find("content-type") == "application/x-protobuf");
  CHECK(headers.find("x-both") == "own");
  CHECK(headers.find("content-length") == "4");
  CHECK_FALSE(headers.has("authorization"));
  CHECK(seen[1].target == "/prefix/");
  CHECK(seen[1].headers.find("host") == "127.0.0.1:" + f.peer.port());
  CHECK_FALSE(seen[1].headers.has("content-length"));
}

TEST_CASE("an answer comes with its fields and its body, chunked or to the end of the connection") {
  TransportFixture f;
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.peer.accept();
    co_await connection->read_request();
    co_await connection->send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 409 Conflict\r\nRetry-After: 7\r\nTransfer-Encoding: "
        "chunked\r\n\r\n"
        "5\r\nout o\r\n6\r\nf time\r\n0\r\n\r\n");
    co_await connection->read_request();
    co_await connection->send("HTTP/1.1 500 Oh\r\n\r\nwithout a length");
    connection->close();
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> chunked = co_await f.post();
    REQUIRE(chunked.has_value());
    CHECK(chunked->status == 409);
    CHECK(chunked->headers.find("retry-after") == "7");
    CHECK(chunked->body == "out of time");
    const Result<Response> to_end = co_await f.post();
    REQUIRE(to_end.has_value());
    CHECK(to_end->status == 500);
    CHECK(to_end->body == "without a length");
  };
  auto serving = serve();
  f.loop.spawn(std::move(serving));
  f.loop.run(task());
}

TEST_CASE("an answer longer than anybody reads is cut, and its status stands") {
  TransportFixture f;
  const std::string body(200'000, 'e');
  f.loop.spawn(answer(f.peer, 1, "HTTP/1.1 400 Bad Request\r\nContent-Length: 200000\r\n\r\n" + body));
  f.loop.spawn(answer(f.peer, 1, kNoContent));  // the first connection is of no more use
  auto task = [&]() -> awaitable<void> {
    const Result<Response> long_one = co_await f.post();
    REQUIRE(long_one.has_value());
    CHECK(long_one->status == 400);
    CHECK(long_one->body == body.substr(0, 64 << 10));
    const Result<Response> next = co_await f.post();
    REQUIRE(next.has_value());
    CHECK(next->status == 204);
  };
  f.loop.run(task());
}

TEST_CASE("an answer that is no use says that the peer has acted") {
  TransportFixture f;
  Errc expected = Errc::bad_input;
  std::string bytes;
  SECTION("not HTTP") { bytes = "SSH-2.0-OpenSSH_9.2\r\n\r\n"; }
  SECTION("two lengths") { bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"; }
  SECTION("an endless head") {
    expected = Errc::too_large;
    bytes = "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n";
  }
  f.loop.spawn(answer(f.peer, 1, bytes));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    REQUIRE(response.has_error());
    CHECK(response.error().code == expected);
  };
  f.loop.run(task());
}

TEST_CASE("a connection that the peer closed while idle is replaced before anything is sent on it") {
  TransportFixture f;
  std::vector<Request> seen;
  auto serve = [&]() -> awaitable<void> {
    auto first = co_await f.peer.accept();
    Request request = co_await first->read_request();
    seen.push_back(std::move(request));
    co_await first->send(kNoContent);
    first->close();
    auto second = co_await f.peer.accept();
    request = co_await second->read_request();
    seen.push_back(std::move(request));
    co_await second->send(kNoContent);
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> one = co_await f.post("one");
    CHECK(one.has_value());
    const Result<Response> two = co_await f.post("two");
    CHECK(two.has_value());
  };
  f.loop.spawn(serve());
  f.loop.run(task());
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].body == "two");
}

constexpr const char* kFirst = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst";
constexpr const char* kSecond = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond";

// The second request comes on a connection of its own, whatever became of the first one's.
awaitable<void> answer_second(TransportFixture& f) {
  auto connection = co_await f.peer.accept();
  Request request = co_await connection->read_request();
  CHECK(request.body == "two");
  co_await connection->send(kSecond);
}

TEST_CASE("an answer that comes after its deadline is never that of the next request") {
  TransportFixture f;
  auto serve = [&]() -> awaitable<void> {
    auto late = co_await f.peer.accept();
    Request request = co_await late->read_request();
    CHECK(request.body == "one");
    co_await answer_second(f);
    co_await late->send(kFirst);
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> one = co_await f.post("one", 50ms);
    REQUIRE(one.has_error());
    CHECK(one.error().code == Errc::timeout);
    const Result<Response> two = co_await f.post("two");
    REQUIRE(two.has_value());
    CHECK(two->body == "second");
  };
  f.loop.spawn(serve());
  f.loop.run(task());
}

TEST_CASE("an answer that comes twice is never that of the next request") {
  TransportFixture f;
  auto serve = [&]() -> awaitable<void> {
    auto twice = co_await f.peer.accept();
    Request request = co_await twice->read_request();
    CHECK(request.body == "one");
    co_await twice->send(std::string(kFirst) + kFirst);
    co_await answer_second(f);
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> one = co_await f.post("one");
    REQUIRE(one.has_value());
    CHECK(one->body == "first");
    const Result<Response> two = co_await f.post("two");
    REQUIRE(two.has_value());
    CHECK(two->body == "second");
  };
  f.loop.spawn(serve());
  f.loop.run(task());
}

TEST_CASE("a connection idle for too long is not used again") {
  TransportFixture f;
  TransportOptions options = f.options();
  options.idle_time = 0s;
  f.open(std::move(options));
  f.loop.spawn(answer(f.peer, 1, kNoContent));
  f.loop.spawn(answer(f.peer, 1, kNoContent));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> one = co_await f.post();
    CHECK(one.has_value());
    const Result<Response> two = co_await f.post();
    CHECK(two.has_value());
  };
  f.loop.run(task());
}

TEST_CASE("a refused connection says that nothing was sent") {
  TransportFixture f;
  TransportOptions options = f.options();
  {
    test::Loop other;
    test::RawPeer gone(other);
    options.url = gone.url();
  }
  f.open(std::move(options));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    REQUIRE(response.has_error());
    CHECK(response.error().code == Errc::connect_failed);
    CHECK(response.error().detail.find("refused") != std::string::npos);
  };
  f.loop.run(task());
}

TEST_CASE("a name that does not resolve says that nothing was sent, and names it") {
  TransportFixture f;
  TransportOptions options = f.options();
  options.url = "http://no-such-host.invalid:9/";  // RFC 6761: never exists
  f.open(std::move(options));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    REQUIRE(response.has_error());
    CHECK(response.error().code == Errc::connect_failed);
    CHECK(response.error().detail.find("no-such-host.invalid") != std::string::npos);
  };
  f.loop.run(task());
}

TEST_CASE("a name is resolved, and its addresses are tried in turn") {
  TransportFixture f;
  TransportOptions options = f.options();
  options.url = "http://localhost:" + f.peer.port();  // ::1 first where there is one: nobody listens there
  f.open(std::move(options));
  f.loop.spawn(answer(f.peer, 1, kNoContent));
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    CHECK(response.has_value());
  };
  f.loop.run(task());
}

TEST_CASE("a peer that accepts and never answers is a timeout, and costs the other idle connections too") {
  TransportFixture f;
  int accepted = 0;
  auto serve = [&]() -> awaitable<void> {
    std::vector<std::unique_ptr<RawConnection>> connections;
    for (int i = 0; i < 2; ++i) {
      auto connection = co_await f.peer.accept();
      ++accepted;
      connections.push_back(std::move(connection));
    }
    for (auto& connection : connections) {
      co_await connection->read_request();
      co_await connection->send(kNoContent);
    }
    co_await connections[0]->read_request();
    co_await connections[1]->read_request();  // the one that stays silent, or sees its end
    auto fresh = co_await f.peer.accept();
    ++accepted;
    co_await fresh->read_request();
    co_await fresh->send(kNoContent);
  };
  int answered = 0;
  auto one = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    if (response) ++answered;
  };
  auto task = [&]() -> awaitable<void> {
    f.loop.spawn(one());
    const Result<Response> beside = co_await f.post();
    CHECK(beside.has_value());
    const Result<Response> silent = co_await f.post("payload", 50ms);
    REQUIRE(silent.has_error());
    CHECK(silent.error().code == Errc::timeout);
    const Result<Response> fresh = co_await f.post();
    CHECK(fresh.has_value());
  };
  f.loop.spawn(serve());
  f.loop.run(task());
  CHECK(answered == 1);
  CHECK(accepted == 3);
}

TEST_CASE("close() ends what is under way, and whatever comes later, as stopping") {
  TransportFixture f;
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.peer.accept();
    co_await connection->read_request();
    f.transport->close();
    co_await connection->read_to_end();
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> under_way = co_await f.post();
    REQUIRE(under_way.has_error());
    CHECK(under_way.error().code == Errc::stopping);
    const Result<Response> later = co_await f.post();
    REQUIRE(later.has_error());
    CHECK(later.error().code == Errc::stopping);
  };
  f.loop.spawn(serve());
  f.loop.run(task());
}

TEST_CASE("no more connections than allowed are open at a time") {
  TransportFixture f;
  TransportOptions options = f.options();
  options.connections = 1;
  f.open(std::move(options));
  f.loop.spawn(answer(f.peer, 3, kNoContent));  // one connection serves them all
  int answered = 0;
  Notifier all(f.loop.clock);
  auto one = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post();
    if (response) ++answered;
    if (answered == 3) all.notify();
  };
  auto task = [&]() -> awaitable<void> { co_await all.wait(); };
  for (int i = 0; i < 3; ++i) f.loop.spawn(one());
  f.loop.run(task());
  CHECK(answered == 3);
}

TEST_CASE("an early refusal is heard although the body was not read") {
  TransportFixture f;
  auto serve = [&]() -> awaitable<void> {
    auto connection = co_await f.peer.accept();
    co_await connection->send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection->close();  // unread bytes: the kernel resets the connection
  };
  auto task = [&]() -> awaitable<void> {
    const Result<Response> response = co_await f.post(std::string(8 << 20, 'x'));
    REQUIRE(response.has_value());
    CHECK(response->status == 413);
  };
  f.loop.spawn(serve());
  f.loop.run(task());
}

TEST_CASE("options that cannot work are refused at once") {
  test::Loop loop;
  TransportOptions options;
  options.url = "http://thanos:1/";
  SECTION("scheme") { options.url = "ftp://thanos/"; }
  SECTION("no host") { options.url = "http:///x"; }
  SECTION("credentials in the URL") { options.url = "http://user:secret@thanos/"; }
  SECTION("half a client certificate") { options.tls.cert_file = "/c.pem"; }
  SECTION("two kinds of credentials") { options.auth = {"/token", "me", "/password"}; }
  SECTION("a header of two lines") { options.headers = {{"X", "a\r\nY: b"}}; }
  const auto made = BeastTransport::create(loop.io, loop.clock, options);
  REQUIRE(made.has_error());
  CHECK(made.error().code == Errc::bad_input);
  CHECK(made.error().detail.find("secret") == std::string::npos);
}

}  // namespace
}  // namespace tideover::http
