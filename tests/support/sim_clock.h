// The clock of the simulator: time stands still while anything can run, then moves to the next timer.
//
// One thread, one io_context: everything of a world hangs on one SimClock, so a run is a pure function of its
// seed. Timers of one instant run in the order in which they were asked for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <unordered_map>
#include <utility>

#include "wal/base/clock.h"

namespace tideover::sim {

class SimClock final : public Clock {
 public:
  explicit SimClock(boost::asio::io_context& io) : io_(io) {}  // `io` outlives the clock

  Time now() const override { return now_; }
  WallTime wall_now() const override;
  TimerId call_at(Time when, std::function<void()> callback) override;
  void cancel(TimerId timer) override;

  // What an operator or NTP does; now() does not notice.
  void jump_wall(Duration by) { wall_offset_ += by; }

  Duration elapsed() const { return now_ - Time{}; }  // since the clock was made
  WallTime true_now() const;                          // what a clock shows that never was wrong

  // Runs all that is ready; if time has to move for more to happen, moves to the next timer that is due at or
  // before `limit` and runs it. False when there was nothing left to do until `limit`.
  bool step(Time limit);

  void run_until(Time when);  // and leaves now() there
  void run_for(Duration span) { run_until(now_ + span); }

  std::size_t timers() const { return timers_.size(); }

 private:
  void run_ready();

  boost::asio::io_context& io_;
  Time now_{};
  Duration wall_offset_{};
  TimerId last_ = 0;
  std::map<std::pair<Time, TimerId>, std::function<void()>> timers_;
  std::unordered_map<TimerId, Time> due_;
};

}  // namespace tideover::sim
