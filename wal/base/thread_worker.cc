#include "wal/base/thread_worker.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>
#include <sys/eventfd.h>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover {
namespace {

int make_event() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  invariant(fd >= 0, "the process may open one more file when it starts");
  return fd;
}

}  // namespace

ThreadWorker::ThreadWorker(std::string name, boost::asio::any_io_executor io)
    : name_(std::move(name)), io_(std::move(io)), event_(io_, make_event()), thread_([this] { run(); }) {}

ThreadWorker::~ThreadWorker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  for (Done& done : finished_) boost::asio::post(io_, std::move(done));
}

void ThreadWorker::submit(std::function<void()> job, std::function<void()> done) {
  if (done) {
    ++awaited_;
    if (!listening_) listen();
  }
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back({std::move(job), std::move(done)});
  }
  wake_.notify_one();
}

// Only while something is awaited, since listening keeps the io executor running.
void ThreadWorker::listen() {
  listening_ = true;
  event_.async_read_some(boost::asio::buffer(&wakes_, sizeof wakes_),
                         [this](const boost::system::error_code& error, std::size_t) {
                           if (error) return;  // cancelled; the worker may be gone
                           listening_ = false;
                           hand_back();
                         });
}

void ThreadWorker::hand_back() {
  for (Done& done : take_finished()) {
    --awaited_;
    std::exchange(done, nullptr)();
  }
  if (awaited_ > 0 && !listening_) listen();
}

std::deque<ThreadWorker::Done> ThreadWorker::take_finished() {
  std::lock_guard lock(mutex_);
  return std::exchange(finished_, {});
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
    lock.lock();
    if (!task.done) continue;
    const bool first = finished_.empty();
    finished_.push_back(std::move(task.done));
    if (!first) continue;  // the io thread was woken for those before, and takes all
    lock.unlock();
    eventfd_write(event_.native_handle(), 1);
    lock.lock();
  }
}

}  // namespace tideover
