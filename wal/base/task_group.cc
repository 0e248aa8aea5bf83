#include "wal/base/task_group.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <string>

#include "wal/base/invariant.h"

namespace tideover {

TaskGroup::TaskGroup(boost::asio::any_io_executor executor, Clock& clock)
    : executor_(std::move(executor)), ended_(clock) {}

TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(awaitable<void> task) {
  ++running_;
  boost::asio::co_spawn(executor_, std::move(task), [this](std::exception_ptr error) {
    if (error) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        invariant(false, std::string("no exception leaves a long-lived task: ") + e.what());
      }
    }
    if (--running_ == 0) ended_.notify();
  });
}

awaitable<bool> TaskGroup::join_until(Time deadline) {
  bool in_time = true;
  while (running_ > 0 && in_time) in_time = co_await ended_.wait_until(deadline);
  co_return running_ == 0;
}

}  // namespace tideover
