#include "wal/base/notifier.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover {
namespace {

// Turns a "call me with a bool" into an awaitable. The handler is resumed through its executor, never inline,
// so that notify() returns to its caller before the waiter runs.
template <class Start>
awaitable<bool> await_bool(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared](bool value) {
      auto executor = boost::asio::get_associated_executor(*shared);
      boost::asio::post(executor, [shared, value]() mutable { std::move (*shared)(value); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(bool)>(
      std::move(initiate), boost::asio::use_awaitable);
}

}  // namespace

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
  co_return co_await await_bool(std::move(start));
}

awaitable<void> Notifier::wait() { co_await wait_until(Time::max()); }

awaitable<void> sleep_until(Clock& clock, Time when) {
  auto start = [&clock, when](std::function<void(bool)> resume) {
    clock.call_at(when, [resume = std::move(resume)] { resume(true); });
  };
  co_await await_bool(std::move(start));
}

}  // namespace tideover
