#include "wal/base/thread_worker.h"

#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <pthread.h>
#include <utility>

namespace tideover {

ThreadWorker::ThreadWorker(std::string name, boost::asio::any_io_executor io)
    : name_(std::move(name)), io_(std::move(io)), thread_([this] { run(); }) {}

ThreadWorker::~ThreadWorker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ThreadWorker::submit(std::function<void()> job, std::function<void()> done) {
  auto to = boost::asio::prefer(io_, boost::asio::execution::outstanding_work.tracked);
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back({std::move(job), std::move(done), std::move(to)});
  }
  wake_.notify_one();
}

void ThreadWorker::run() {
  pthread_setname_np(pthread_self(), name_.c_str());
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task.job();
    task.job = nullptr;  // what the job captured is released before its waiter runs
    boost::asio::post(task.to, std::move(task.done));
    lock.lock();
  }
}

}  // namespace tideover
