#include "wal/base/system_clock.h"

namespace tideover {

Time SystemClock::now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

Clock::TimerId SystemClock::call_at(Time when, std::function<void()> callback) {
  const TimerId id = ++last_;
  auto [it, inserted] = timers_.try_emplace(id, io_, when);
  it->second.async_wait([this, id, callback = std::move(callback)](boost::system::error_code error) {
    if (error) return;                   // cancelled, or the clock is gone: touch nothing
    if (timers_.erase(id) == 0) return;  // cancelled after it had already fired
    callback();
  });
  return id;
}

void SystemClock::cancel(TimerId timer) { timers_.erase(timer); }

}  // namespace tideover
