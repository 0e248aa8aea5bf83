#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "tests/support/sim_network.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  boost::asio::io_context io;
  SimClock clock{io};
  int acted = 0;
  FaultCounts happened;
  SimNetwork network{clock, Rng(1),
                     [this](const http::Request&) {
                       ++acted;
                       return http::Response{.status = 200, .headers = {}, .body = "ok"};
                     },
                     happened};
  SimTransport transport{network, clock};
  std::optional<Result<http::Response>> answer;

  void send(Duration patience) {
    auto exchange = [this, patience]() -> awaitable<void> {
      http::Request request;
      answer = co_await transport.send(std::move(request), clock.now() + patience);
    };
    task = std::move(exchange);
    boost::asio::co_spawn(io, task(), boost::asio::detached);
  }
  std::function<awaitable<void>()> task;  // outlives its coroutine

  std::optional<Errc> error() const {
    if (!answer || *answer) return std::nullopt;
    return answer->error().code;
  }
};

TEST_CASE("a request on a fair day is answered") {
  Fixture f;
  f.send(30s);
  f.clock.run_for(1s);
  REQUIRE(f.answer);
  CHECK(f.answer->value().status == 200);
}

TEST_CASE("a refused connection tells that the receiver cannot have acted") {
  Fixture f;
  f.network.set_link(Link::refusing);
  f.send(30s);
  f.clock.run_for(1s);
  CHECK(f.error() == Errc::connect_failed);
  CHECK(f.acted == 0);
}

TEST_CASE("a connection may break before and after the receiver acted, and the sender cannot tell") {
  Fixture f;
  f.network.set_weather({.reset_before = 1});
  f.send(30s);
  f.clock.run_for(1s);
  CHECK(f.error() == Errc::connection_lost);
  CHECK(f.acted == 0);
  f.network.set_weather({.reset_after = 1});
  f.send(30s);
  f.clock.run_for(1s);
  CHECK(f.error() == Errc::connection_lost);
  CHECK(f.acted == 1);
}

TEST_CASE("a lost reply and a black hole run into the deadline, not before it") {
  Fixture f;
  f.network.set_weather({.reply_lost = 1});
  f.send(30s);
  f.clock.run_for(29s);
  CHECK_FALSE(f.answer);
  f.clock.run_for(2s);
  CHECK(f.error() == Errc::timeout);
  CHECK(f.acted == 1);
  f.network.set_link(Link::black_hole);
  f.answer.reset();
  f.send(30s);
  f.clock.run_for(31s);
  CHECK(f.error() == Errc::timeout);
  CHECK(f.acted == 1);
}

TEST_CASE("a slow request still arrives after its sender has given up") {
  Fixture f;
  f.network.set_weather({.slow = 1, .slow_by = 1h});
  f.send(1s);
  f.clock.run_for(2s);
  CHECK(f.error() == Errc::timeout);
  CHECK(f.acted == 0);
  f.clock.run_for(2h);
  CHECK(f.acted == 1);
}

TEST_CASE("a receiver that moved is found once its old address has refused three times, or failed") {
  Fixture f;
  const auto ask = [&f] {
    f.answer.reset();
    f.send(30s);
    f.clock.run_for(1s);
    return f.answer->value().status;
  };
  CHECK(ask() == 200);
  f.network.move(404);
  for (int i = 0; i < 3; ++i) CHECK(ask() == 404);
  CHECK(f.acted == 1);
  CHECK(ask() == 200);
  f.network.move(503);
  CHECK(ask() == 503);
  f.network.set_link(Link::resetting);
  f.send(30s);
  f.clock.run_for(1s);
  f.network.set_link(Link::up);
  CHECK(ask() == 200);
}

TEST_CASE("closing a transport ends what is under way") {
  Fixture f;
  f.network.set_link(Link::black_hole);
  f.send(1h);
  f.clock.run_for(1s);
  CHECK_FALSE(f.answer);
  f.transport.close();
  f.clock.run_for(0s);
  CHECK(f.error() == Errc::stopping);
}

}  // namespace
}  // namespace tideover::sim
