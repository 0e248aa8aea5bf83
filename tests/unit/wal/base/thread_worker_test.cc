#include "wal/base/thread_worker.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace tideover {
namespace {

TEST_CASE("jobs run in order on the worker's thread, and done runs on the io thread") {
  boost::asio::io_context io;
  std::vector<int> jobs;
  std::vector<int> dones;
  std::thread::id job_thread;
  std::thread::id done_thread;
  ThreadWorker worker("test", io.get_executor());
  for (int i = 0; i < 100; ++i) {
    worker.submit(
        [&, i] {
          jobs.push_back(i);
          job_thread = std::this_thread::get_id();
        },
        [&, i] {
          dones.push_back(i);
          done_thread = std::this_thread::get_id();
        });
  }
  io.run();
  CHECK(jobs.size() == 100);
  CHECK(jobs == dones);
  CHECK(std::is_sorted(jobs.begin(), jobs.end()));
  CHECK(done_thread == std::this_thread::get_id());
  CHECK(job_thread != done_thread);
}

TEST_CASE("a task keeps its executor running until it is done, an idle worker does not") {
  boost::asio::io_context io;
  ThreadWorker worker("test", io.get_executor());
  bool first = false;
  bool second = false;
  worker.submit([] {},
                [&] {
                  first = true;
                  worker.submit([] {}, [&] { second = true; });
                });
  io.run();  // returns by itself
  CHECK(first);
  CHECK(second);
}

TEST_CASE("a job that nobody waits for is run in its turn, and hands nothing back") {
  boost::asio::io_context io;
  bool alone = false;
  {
    ThreadWorker worker("test", io.get_executor());
    worker.submit([&] { alone = true; }, nullptr);
    worker.submit([&] { CHECK(alone); }, [] {});
    io.run();
  }
  CHECK(alone);
  CHECK(io.poll() == 0);
}

}  // namespace
}  // namespace tideover
