#include "tests/support/sim_clock.h"

#include <algorithm>

#include "wal/base/invariant.h"

namespace tideover::sim {
namespace {

constexpr WallTime kWallStart{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z

// More handlers than this without time moving is a loop that would keep a real CPU busy.
constexpr std::size_t kHandlersPerInstantMax = 1'000'000;

}  // namespace

WallTime SimClock::wall_now() const {
  return true_now() + std::chrono::duration_cast<WallTime::duration>(wall_offset_);
}

WallTime SimClock::true_now() const {
  return kWallStart + std::chrono::duration_cast<WallTime::duration>(elapsed());
}

Clock::TimerId SimClock::call_at(Time when, std::function<void()> callback) {
  const TimerId id = ++last_;
  const Time due = std::max(when, now_);
  timers_.emplace(std::pair(due, id), std::move(callback));
  due_.emplace(id, due);
  return id;
}

void SimClock::cancel(TimerId timer) {
  const auto found = due_.find(timer);
  if (found == due_.end()) return;
  // What the callback owned may call cancel() while it is destroyed: take it out first.
  const auto node = timers_.extract(std::pair(found->second, timer));
  due_.erase(found);
}

void SimClock::run_ready() {
  for (std::size_t handlers = 0; io_.poll_one() > 0; ++handlers)
    invariant(handlers < kHandlersPerInstantMax, "nothing runs for ever without time moving");
  io_.restart();
}

bool SimClock::step(Time limit) {
  run_ready();
  if (timers_.empty() || timers_.begin()->first.first > limit) return false;
  auto node = timers_.extract(timers_.begin());
  const auto [due, id] = node.key();
  due_.erase(id);
  now_ = due;
  node.mapped()();
  run_ready();
  return true;
}

void SimClock::run_until(Time when) {
  while (step(when)) {
  }
  now_ = std::max(now_, when);
}

}  // namespace tideover::sim
