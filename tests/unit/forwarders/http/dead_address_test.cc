// A name whose addresses die, refuse or move, on real sockets: each test has its own name server.
#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <fmt/format.h>
#include <functional>
#include <list>
#include <mutex>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forwarders/http/tls_fixture.h"

namespace {

// What the name stands for now. Looked up on a thread of NameLookup's, one at a time.
struct Zone {
  std::mutex mutex;
  std::vector<std::string> addresses;
  int lookups = 0;

  void set(std::vector<std::string> now) {
    const std::lock_guard lock(mutex);
    addresses = std::move(now);
    lookups = 0;
  }
  std::vector<std::string> look_up() {
    const std::lock_guard lock(mutex);
    ++lookups;
    return addresses;
  }
  int count() {
    const std::lock_guard lock(mutex);
    return lookups;
  }
};

Zone zone;

struct Found {
  addrinfo info{};
  sockaddr_storage address{};
};

}  // namespace

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** list) {
  *list = nullptr;
  for (const std::string& text : zone.look_up()) {
    auto* found = new Found;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&found->address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&found->address);
    const bool is_v4 = ::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1;
    if (!is_v4) ::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr);
    found->address.ss_family = is_v4 ? AF_INET : AF_INET6;
    found->info.ai_family = found->address.ss_family;
    found->info.ai_addrlen = is_v4 ? sizeof(*v4) : sizeof(*v6);
    found->info.ai_addr = reinterpret_cast<sockaddr*>(&found->address);
    while (*list != nullptr) list = &(*list)->ai_next;
    *list = &found->info;
  }
  return 0;
}

extern "C" void freeaddrinfo(addrinfo* list) {
  while (list != nullptr) {
    auto* found = reinterpret_cast<Found*>(list);  // its first member
    list = list->ai_next;
    delete found;
  }
}

namespace tideover::http {
namespace {

using namespace std::chrono_literals;
using test::RawConnection;
using test::RawPeer;

const std::string kOld = "127.0.0.2";
const std::string kNew = "127.0.0.3";

std::string answer_of(int status) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: 0\r\n\r\n", status);
}

using Counts = std::deque<int>;  // of requests, by connection

// The one name, on one port of several addresses of loopback.
struct Addresses : test::TlsFixture {
  Addresses() : test::TlsFixture("DNS:mgmt.test") { open_at("http"); }

  void open_at(std::string_view scheme) {
    http::TransportOptions made = scheme == "https" ? tls_options() : options();
    made.url = fmt::format("{}://mgmt.test:{}", scheme, peer.port());
    made.connect_time = connect_time;
    open(std::move(made));
  }

  RawPeer listen(const std::string& address) {
    return RawPeer(loop, address, static_cast<std::uint16_t>(std::stoi(peer.port())));
  }

  // Everything that `at` is asked, on every connection, is answered so.
  void serve(RawPeer& at, std::string answer, Counts* requests) {
    auto all = [this, &at, answer, requests]() -> awaitable<void> {
      while (true) {
        auto connection = co_await at.accept();
        requests->push_back(0);
        loop.spawn(serve_one(std::move(connection), answer, &requests->back()));
      }
    };
    servers.push_back(std::move(all));
    loop.spawn(servers.back()());
  }

  static awaitable<void> serve_one(std::unique_ptr<RawConnection> connection, std::string answer,
                                   int* requests) {
    while (true) {
      const Request request = co_await connection->read_request();
      if (request.method.empty()) co_return;
      ++*requests;
      co_await connection->send(answer);
    }
  }

  // One after the other; the statuses, 0 for none.
  std::vector<int> post_all(int requests, Duration within = 10s) {
    std::vector<int> statuses;
    auto task = [&]() -> awaitable<void> {
      for (int i = 0; i < requests; ++i) {
        const Result<Response> response = co_await post("x", within);
        statuses.push_back(response ? response->status : 0);
      }
    };
    loop.run(task());
    return statuses;
  }

  Duration connect_time = 5s;
  std::list<std::function<awaitable<void>()>> servers;
};

// No longer bound to anything that accepts: its queue is full, and the kernel drops what comes.
class BlackHole {
 public:
  BlackHole(const std::string& address, const std::string& port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    ::inet_pton(AF_INET, address.c_str(), &at.sin_addr);
    const int listener = make(SOCK_STREAM);
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0);
    REQUIRE(::listen(listener, 0) == 0);
    for (int i = 0; i < 3; ++i)
      (void)::connect(make(SOCK_STREAM | SOCK_NONBLOCK), reinterpret_cast<sockaddr*>(&at), sizeof(at));
  }
  ~BlackHole() {
    for (const int fd : sockets_) ::close(fd);
  }

 private:
  int make(int type) {
    sockets_.push_back(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    return sockets_.back();
  }
  std::vector<int> sockets_;
};

TEST_CASE("a name that has moved is followed, although its old address goes on answering") {
  const int status = GENERATE(503, 429, 404, 401, 302);
  Addresses f;
  RawPeer before = f.listen(kOld);
  RawPeer after = f.listen(kNew);
  Counts old_requests;
  Counts new_requests;
  f.serve(before, answer_of(status), &old_requests);
  f.serve(after, test::kNoContent, &new_requests);
  zone.set({kOld});
  CHECK(f.post_all(1) == std::vector<int>{status});
  zone.set({kNew});
  CHECK(f.post_all(4) == std::vector<int>{status, status, 204, 204});
  CHECK(old_requests == Counts{3});
  CHECK(new_requests == Counts{2});
}

TEST_CASE("of several addresses that a name has, the one that refuses everything gives way to the others") {
  Addresses f;
  RawPeer bad = f.listen(kOld);
  RawPeer good = f.listen(kNew);
  Counts bad_requests;
  Counts good_requests;
  f.serve(bad, answer_of(503), &bad_requests);
  f.serve(good, test::kNoContent, &good_requests);
  zone.set({kOld, kNew});
  CHECK(f.post_all(6) == std::vector<int>{503, 503, 503, 204, 204, 204});
  CHECK(good_requests == Counts{3});
}

TEST_CASE("a receiver that refuses everywhere is asked at each of its addresses in turn") {
  Addresses f;
  RawPeer one = f.listen(kOld);
  RawPeer two = f.listen(kNew);
  Counts one_requests;
  Counts two_requests;
  f.serve(one, answer_of(503), &one_requests);
  f.serve(two, answer_of(503), &two_requests);
  zone.set({kOld, kNew});
  f.post_all(7);
  CHECK(one_requests == Counts{3, 1, 1});
  CHECK(two_requests == Counts{1, 1});
}

TEST_CASE("answers about the data keep a connection, however many they are") {
  const int status = GENERATE(400, 409, 413, 422);
  Addresses f;
  RawPeer peer = f.listen(kOld);
  Counts requests;
  f.serve(peer, answer_of(status), &requests);
  zone.set({kOld, kNew});
  f.post_all(10);
  CHECK(requests == Counts{10});
  CHECK(zone.count() == 1);
}

TEST_CASE("an address that swallows packets costs its share of one request, and is not tried first again") {
  Addresses f;
  f.connect_time = 400ms;
  f.open_at("http");
  const BlackHole hole(kOld, f.peer.port());
  RawPeer good = f.listen(kNew);
  Counts requests;
  f.serve(good, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", &requests);
  zone.set({kOld, kNew});
  const Time begun = f.loop.clock.now();
  CHECK(f.post_all(1) == std::vector<int>{204});
  CHECK(f.loop.clock.now() - begun >= 200ms);  // it was tried
  CHECK(f.post_all(5) == std::vector<int>{204, 204, 204, 204, 204});
  CHECK(requests == Counts{1, 1, 1, 1, 1, 1});
  CHECK(zone.count() == 6);
}

TEST_CASE("an address that takes connections and never answers gives way to the next one") {
  Addresses f;
  RawPeer silent = f.listen(kOld);
  RawPeer good = f.listen(kNew);
  auto swallow = [&]() -> awaitable<void> {
    auto connection = co_await silent.accept();
    co_await connection->read_to_end();
  };
  Counts requests;
  f.serve(good, test::kNoContent, &requests);
  f.loop.spawn(swallow());
  zone.set({kOld, kNew});
  CHECK(f.post_all(1, 100ms) == std::vector<int>{0});
  CHECK(f.post_all(2) == std::vector<int>{204, 204});
}

TEST_CASE("an address without TLS, or with somebody else's certificate, gives way within the same request") {
  Addresses f;
  f.open_at("https");
  RawPeer stranger = f.listen(kOld);
  RawPeer good = f.listen(kNew);
  const bool has_certificate = GENERATE(false, true);
  test::TlsFixture other("DNS:elsewhere.test");
  auto refuse = [&]() -> awaitable<void> {
    auto connection = co_await stranger.accept();
    if (has_certificate)
      co_await connection->secure_as_server(other.context);
    else
      co_await connection->send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection->close();
  };
  auto accept = [&]() -> awaitable<void> {
    auto connection = co_await good.accept();
    const bool secure = co_await connection->secure_as_server(f.context);
    CHECK(secure);
    const Request request = co_await connection->read_request();
    CHECK(request.body == "x");
    co_await connection->send(test::kNoContent);
  };
  f.loop.spawn(refuse());
  f.loop.spawn(accept());
  zone.set({kOld, kNew});
  CHECK(f.post_all(1) == std::vector<int>{204});
}

TEST_CASE("where the first address speaks IPv6 and nobody listens there, the IPv4 one is used") {
  Addresses f;
  RawPeer good = f.listen(kNew);
  Counts requests;
  f.serve(good, test::kNoContent, &requests);
  zone.set({"::1", "2001:db8::1", kNew});  // the second has no route from here
  CHECK(f.post_all(2) == std::vector<int>{204, 204});
}

TEST_CASE("many dead addresses before the living one only cost a few attempts") {
  Addresses f;
  f.connect_time = 200ms;
  f.open_at("http");
  std::list<BlackHole> holes;
  std::vector<std::string> all;
  for (int i = 10; i < 16; ++i) {
    all.push_back(fmt::format("127.0.0.{}", i));
    holes.emplace_back(all.back(), f.peer.port());
  }
  all.push_back(kNew);
  RawPeer good = f.listen(kNew);
  Counts requests;
  f.serve(good, test::kNoContent, &requests);
  zone.set(all);
  const std::vector<int> statuses = f.post_all(5);
  CHECK(statuses.back() == 204);  // two addresses have their turn in each
}

}  // namespace
}  // namespace tideover::http
