#include "wal/base/notifier.h"

#include <utility>

#include "wal/base/await_callback.h"
#include "wal/base/invariant.h"

namespace tideover {

Notifier::~Notifier() {
  if (timer_ != 0) clock_.cancel(timer_);
}

void Notifier::notify() {
  if (waiter_)
    finish(true);
  else
    pending_ = true;
}

void Notifier::finish(bool notified) {
  if (timer_ != 0) clock_.cancel(std::exchange(timer_, 0));
  std::exchange(waiter_, nullptr)(notified);
}

awaitable<bool> Notifier::wait_until(Time deadline) {
  invariant(!waiter_, "one coroutine at a time waits on a notifier");
  if (std::exchange(pending_, false)) co_return true;
  auto start = [this, deadline](std::function<void(bool)> resume) {
    waiter_ = std::move(resume);
    if (deadline == Time::max()) return;
    timer_ = clock_.call_at(deadline, [this] {
      timer_ = 0;
      finish(false);
    });
  };
  co_return co_await await_callback<bool>(std::move(start));
}

awaitable<void> Notifier::wait() { co_await wait_until(Time::max()); }

awaitable<void> sleep_until(Clock& clock, Time when) {
  auto start = [&clock, when](std::function<void(bool)> resume) {
    clock.call_at(when, [resume = std::move(resume)] { resume(true); });
  };
  co_await await_callback<bool>(std::move(start));
}

}  // namespace tideover
