// One io_context for a test: everything that is not a worker, both ends of a socket included, runs on it, in
// this thread.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "wal/base/system_clock.h"

namespace tideover::test {

class Loop {
 public:
  boost::asio::io_context io;
  SystemClock clock{io};

  // Until `task` has ended; what it throws (a REQUIRE that failed) comes out here. A test that hangs fails.
  void run(awaitable<void> task) {
    std::optional<std::exception_ptr> ended;
    boost::asio::co_spawn(io, std::move(task), [&ended](std::exception_ptr error) { ended = error; });
    const Time watchdog = clock.now() + std::chrono::seconds(60);
    io.restart();
    while (!ended && clock.now() < watchdog && io.run_one_until(watchdog) > 0) {
    }
    if (!ended) FAIL("the test's task did not end");
    if (*ended) std::rethrow_exception(*ended);
  }

  // The same for a task that has a result.
  template <class T>
  T result_of(awaitable<T> task) {
    std::optional<T> result;
    auto keep = [&result](awaitable<T> wanted) -> awaitable<void> {
      result.emplace(co_await std::move(wanted));
    };
    run(keep(std::move(task)));
    return std::move(*result);
  }

  // Beside the task, the other end of its connections.
  void spawn(awaitable<void> other) {
    boost::asio::co_spawn(io, std::move(other), [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    });
  }
};

}  // namespace tideover::test
