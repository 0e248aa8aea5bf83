#include "wal/base/notifier.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "wal/base/system_clock.h"
#include "wal/base/task_group.h"

namespace tideover {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  boost::asio::io_context io;
  SystemClock clock{io};
  Notifier notifier{clock};

  void run(awaitable<void> task) {
    boost::asio::co_spawn(io, std::move(task), boost::asio::detached);
    io.run();
    io.restart();
  }
};

TEST_CASE("a notification that came before the wait is not lost") {
  Fixture f;
  bool notified = false;
  f.notifier.notify();
  auto task = [&]() -> awaitable<void> { notified = co_await f.notifier.wait_until(f.clock.now() + 1h); };
  f.run(task());
  CHECK(notified);
}

TEST_CASE("a wait ends at its deadline when nobody notifies") {
  Fixture f;
  bool notified = true;
  auto task = [&]() -> awaitable<void> { notified = co_await f.notifier.wait_until(f.clock.now() + 1ms); };
  f.run(task());
  CHECK_FALSE(notified);
}

TEST_CASE("a waiter is woken by another coroutine, and its timer is gone") {
  Fixture f;
  bool notified = false;
  auto waiter = [&]() -> awaitable<void> { notified = co_await f.notifier.wait_until(f.clock.now() + 1h); };
  auto waker = [&]() -> awaitable<void> {
    co_await sleep_until(f.clock, f.clock.now() + 1ms);
    f.notifier.notify();
  };
  boost::asio::co_spawn(f.io, waiter(), boost::asio::detached);
  f.run(waker());  // returns at once: a timer left behind would hold it for an hour
  CHECK(notified);
}

TEST_CASE("a task group is joined when its last task has ended, and not before") {
  Fixture f;
  TaskGroup group(f.io.get_executor(), f.clock);
  bool ended = false;
  bool early = true;
  bool joined = false;
  auto slow = [&]() -> awaitable<void> {
    co_await sleep_until(f.clock, f.clock.now() + 20ms);
    ended = true;
  };
  auto join = [&]() -> awaitable<void> {
    early = co_await group.join_until(f.clock.now() + 1ms);
    joined = co_await group.join_until(f.clock.now() + 1h);
  };
  group.spawn(slow());
  f.run(join());
  CHECK_FALSE(early);
  CHECK(joined);
  CHECK(ended);
}

}  // namespace
}  // namespace tideover
