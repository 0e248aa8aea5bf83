// A worker that is one named thread.
//
// What is done comes back to the io executor through an event descriptor of its own: Asio's post() from
// another thread wakes the io thread while it still holds the lock that the io thread takes first, which
// costs two switches of threads for every group commit.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "wal/base/worker.h"

namespace tideover {

class ThreadWorker final : public Worker {
 public:
  // `name` is what `top -H` shows: at most 15 characters.
  ThreadWorker(std::string name, boost::asio::any_io_executor io);
  ~ThreadWorker() override;  // Blocking: finishes the jobs that were submitted; on the io executor

  // On the io executor, which runs until every `done` has, and no longer.
  void submit(std::function<void()> job, std::function<void()> done) override;

 private:
  using Done = std::function<void()>;
  struct Task {
    std::function<void()> job;
    Done done;
  };

  void run();
  void listen();
  void hand_back();
  std::deque<Done> take_finished();

  const std::string name_;
  const boost::asio::any_io_executor io_;
  boost::asio::posix::stream_descriptor event_;
  std::size_t awaited_ = 0;  // dones that have not run; io executor
  bool listening_ = false;   // io executor
  std::uint64_t wakes_ = 0;  // room for what the event counts; nobody looks at it

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;     // guarded by mutex_
  std::deque<Done> finished_;  // guarded by mutex_
  bool stopping_ = false;      // guarded by mutex_
  std::thread thread_;
};

}  // namespace tideover
