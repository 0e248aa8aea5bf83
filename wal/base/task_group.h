// Owns the coroutines of one part of the agent, so that none is left behind at shutdown.
//
// Executor: all verbs on the executor given. The group must be joined before it is destroyed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>

#include "wal/base/notifier.h"

namespace tideover {

class TaskGroup {
 public:
  TaskGroup(boost::asio::any_io_executor executor, Clock& clock);
  ~TaskGroup();

  // An exception that leaves `task` is a mistake of ours: it aborts with its message.
  void spawn(awaitable<void> task);

  // True when every task ended before `deadline`.
  awaitable<bool> join_until(Time deadline);

  std::size_t size() const { return running_; }

 private:
  boost::asio::any_io_executor executor_;
  Notifier ended_;
  std::size_t running_ = 0;
};

}  // namespace tideover
