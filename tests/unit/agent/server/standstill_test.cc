// The process itself stands still for minutes (SIGSTOP, a frozen cgroup, a moved virtual machine).
#include <catch2/catch.hpp>
#include <map>
#include <utility>

#include "tests/unit/agent/server/fixture.h"

namespace tideover::server {
namespace {

using namespace std::chrono_literals;
using test::post;
using test::RawConnection;

// The machine's clock, which goes on while the process stands still: every timer is overdue then.
class LeapingClock final : public Clock {
 public:
  explicit LeapingClock(Clock& real) : real_(real) {}
  Time now() const override { return real_.now() + leapt_; }
  WallTime wall_now() const override { return real_.wall_now(); }
  TimerId call_at(Time when, std::function<void()> callback) override {
    const TimerId id = ++last_;
    timers_[id] = {when, std::move(callback), arm(id, when)};
    return id;
  }
  void cancel(TimerId timer) override {
    const auto found = timers_.find(timer);
    if (found == timers_.end()) return;
    real_.cancel(found->second.armed);
    timers_.erase(found);
  }

  void leap(Duration by) {
    leapt_ += by;
    for (auto& [id, timer] : timers_) {
      real_.cancel(timer.armed);
      timer.armed = arm(id, timer.when);
    }
  }

 private:
  struct Timer {
    Time when;
    std::function<void()> callback;
    TimerId armed = 0;
  };

  TimerId arm(TimerId id, Time when) {
    return real_.call_at(when - leapt_,
                         [this, id] { std::exchange(timers_.extract(id).mapped().callback, {})(); });
  }

  Clock& real_;
  Duration leapt_ = Duration::zero();
  TimerId last_ = 0;
  std::map<TimerId, Timer> timers_;
};

TEST_CASE("a request that was arriving when we stood still is not held against its client") {
  test::Loop loop;
  LeapingClock clock(loop.clock);
  auto echo = [](http::Request request) -> awaitable<http::Response> {
    co_return http::Response{200, {}, std::move(request.body)};
  };
  HttpServer server(loop.io, clock, {}, {{"POST", "/echo", 0, {}, echo}});
  std::string first;
  std::string rest;
  SECTION("its head") {
    first = "POST /echo HTTP/1.1\r\nHo";
    rest = "st: test\r\nContent-Length: 4\r\n\r\nbody";
  }
  SECTION("its counted body") {
    first = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nb";
    rest = "ody";
  }
  SECTION("its chunked body") {
    first = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nb";
    rest = "ody\r\n0\r\n\r\n";
  }
  auto task = [&]() -> awaitable<void> {
    REQUIRE(server.listen("127.0.0.1:0").has_value());
    RawConnection client(loop);
    co_await client.connect(server.address());
    // In one piece behind a whole request: once that is answered the server has read this too.
    co_await client.send(post("/echo", "whole") + first);
    const http::Response whole = co_await client.read_response();
    REQUIRE(whole.body == "whole");
    clock.leap(10min);
    co_await sleep_until(clock, clock.now());  // behind the timers that are overdue
    co_await client.send(rest);
    const http::Response response = co_await client.read_response();
    CHECK(response.status == 200);
    CHECK(response.body == "body");
    CHECK(server.metrics().refused[Refusal::slow] == 0);
    co_await server.stop(clock.now() + 50s);
  };
  loop.run(task());
}

}  // namespace
}  // namespace tideover::server
