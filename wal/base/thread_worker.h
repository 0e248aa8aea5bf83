// A worker that is one named thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
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
  ~ThreadWorker() override;  // Blocking: finishes the jobs that were submitted

  void submit(std::function<void()> job, std::function<void()> done) override;

 private:
  struct Task {
    std::function<void()> job;
    std::function<void()> done;
    boost::asio::any_io_executor to;  // with outstanding work: io runs until the task is done, and no longer
  };

  void run();

  const std::string name_;
  const boost::asio::any_io_executor io_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace tideover
