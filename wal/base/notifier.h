// A wake-up between coroutines of one executor: it carries no data, and a deadline always ends the wait.
//
// A notify() with nobody waiting is remembered for the next wait. At most one coroutine waits at a time.
#pragma once

#include <functional>

#include "wal/base/clock.h"

namespace tideover {

class Notifier {
 public:
  explicit Notifier(Clock& clock) : clock_(clock) {}  // `clock` outlives the notifier
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  void notify();

  // True when notified, false when `deadline` came first.
  awaitable<bool> wait_until(Time deadline);
  awaitable<void> wait();

 private:
  void finish(bool notified);

  Clock& clock_;
  bool pending_ = false;
  std::function<void(bool)> waiter_;
  Clock::TimerId timer_ = 0;
};

awaitable<void> sleep_until(Clock& clock, Time when);

}  // namespace tideover
