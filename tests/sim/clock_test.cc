#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/sim_clock.h"
#include "tests/support/sim_worker.h"
#include "wal/base/notifier.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  boost::asio::io_context io;
  SimClock clock{io};
  std::vector<std::string> events;

  std::function<void()> note(std::string event) {
    return [this, event] { events.push_back(event); };
  }
};

TEST_CASE("timers run by time, and those of one instant in the order asked for") {
  Fixture f;
  f.clock.call_at(f.clock.now() + 2s, f.note("c"));
  f.clock.call_at(f.clock.now() + 1s, f.note("a"));
  f.clock.call_at(f.clock.now() + 1s, f.note("b"));
  f.clock.run_for(3s);
  CHECK(f.events == std::vector<std::string>{"a", "b", "c"});
  CHECK(f.clock.elapsed() == 3s);
}

TEST_CASE("a cancelled timer does not run, and one asked for in the past runs now") {
  Fixture f;
  f.clock.run_for(1s);
  const auto timer = f.clock.call_at(f.clock.now() + 1s, f.note("cancelled"));
  f.clock.call_at(Time{}, f.note("past"));
  f.clock.cancel(timer);
  CHECK(f.events.empty());
  f.clock.run_for(2s);
  CHECK(f.events == std::vector<std::string>{"past"});
  CHECK(f.clock.timers() == 0);
}

TEST_CASE("the wall may jump back while deadlines stay where they are") {
  Fixture f;
  const WallTime before = f.clock.wall_now();
  f.clock.call_at(f.clock.now() + 10s, f.note("due"));
  f.clock.jump_wall(-1h);
  f.clock.run_for(10s);
  CHECK(f.events == std::vector<std::string>{"due"});
  CHECK(f.clock.wall_now() == before - 1h + 10s);
}

TEST_CASE("all that is ready runs before time moves") {
  Fixture f;
  auto sleeper = [&]() -> awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      co_await sleep_until(f.clock, f.clock.now() + 1s);
      f.events.push_back("tick");
    }
  };
  boost::asio::co_spawn(f.io, sleeper(), boost::asio::detached);
  f.clock.run_for(2s);
  CHECK(f.events.size() == 2);
  f.clock.run_for(1s);
  CHECK(f.events.size() == 3);
}

TEST_CASE("a worker's jobs take time one after the other, and done comes after its job") {
  Fixture f;
  SimWorker worker(f.clock, [] { return Duration(10ms); });
  worker.submit(f.note("job 1"), f.note("done 1"));
  worker.submit(f.note("job 2"), f.note("done 2"));
  f.clock.run_for(10ms);
  CHECK(f.events == std::vector<std::string>{"job 1"});  // a crash here finds the job done and nobody told
  f.clock.run_for(1ms);
  CHECK(f.events == std::vector<std::string>{"job 1", "done 1"});
  f.clock.run_for(10ms);
  CHECK(f.events == std::vector<std::string>{"job 1", "done 1", "job 2", "done 2"});
  CHECK(worker.idle());
}

TEST_CASE("a worker that ends takes what it had not run with it") {
  Fixture f;
  {
    SimWorker worker(f.clock, [] { return Duration(10ms); });
    worker.submit(f.note("job"), f.note("done"));
  }
  f.clock.run_for(1s);
  CHECK(f.events.empty());
}

}  // namespace
}  // namespace tideover::sim
