// No descriptor is left in the process.
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using test::get;
using test::RawConnection;
using test::ServerFixture;

// Takes every descriptor that the process may have, but as many as a test gives back.
class UsedUp {
 public:
  UsedUp() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit small = before_;
    small.rlim_cur = std::min<rlim_t>(256, before_.rlim_cur);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &small) == 0);
    for (int next = ::open("/dev/null", O_RDONLY); next >= 0; next = ::open("/dev/null", O_RDONLY))
      held_.push_back(next);
  }
  ~UsedUp() {
    while (!held_.empty()) give_back();
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

  void give_back() {
    ::close(held_.back());
    held_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> held_;
};

TEST_CASE("without a descriptor the longest idle client makes room for one who waits, and for nobody else") {
  ServerFixture f;
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    RawConnection oldest(f.loop);
    RawConnection second(f.loop);
    RawConnection third(f.loop);
    for (RawConnection* client : {&oldest, &second, &third})  // both ends live in this process
      client->socket().open(boost::asio::ip::tcp::v4());
    co_await oldest.connect(address);
    co_await oldest.send(get("/fixed"));
    const http::Response before = co_await oldest.read_response();
    CHECK(before.status == 200);

    UsedUp descriptors;
    descriptors.give_back();
    co_await second.connect(address);  // takes the last one; now nobody waits
    for (RawConnection* client : {&oldest, &second}) {
      co_await client->send(get("/fixed"));
      const http::Response response = co_await client->read_response();
      CHECK(response.status == 200);
    }
    co_await third.connect(address);
    co_await third.send(get("/fixed"));
    const http::Response response = co_await third.read_response();
    CHECK(response.status == 200);
    const std::string nothing = co_await oldest.read_to_end();
    CHECK(nothing.empty());
    co_await second.send(get("/fixed"));
    const http::Response still = co_await second.read_response();
    CHECK(still.status == 200);
    CHECK(f.warnings.empty());
  };
  f.run(task());
}

TEST_CASE("a server without an idle client of its own gets a descriptor from another") {
  ServerFixture f;
  HttpServer crowded(f.loop.io, f.loop.clock, {}, {});
  REQUIRE(crowded.listen("127.0.0.1:0").has_value());
  auto task = [&]() -> awaitable<void> {
    const std::string address = f.start();
    f.server->on_no_descriptor([&] { return crowded.give_up_a_connection(); });
    RawConnection idle(f.loop);
    RawConnection probe(f.loop);
    probe.socket().open(boost::asio::ip::tcp::v4());
    co_await idle.connect(crowded.address());
    while (crowded.metrics().connections_open == 0) co_await sleep_until(f.loop.clock, f.loop.clock.now());

    const UsedUp descriptors;
    co_await probe.connect(address);
    co_await probe.send(get("/fixed"));
    const http::Response response = co_await probe.read_response();
    CHECK(response.status == 200);
    const std::string nothing = co_await idle.read_to_end();
    CHECK(nothing.empty());
    co_await crowded.stop(f.loop.clock.now());
  };
  f.run(task());
}

}  // namespace
}  // namespace tideover::server
