// A worker whose thread is the simulator's clock: jobs take virtual time, one after the other.
//
// The job takes effect at one instant, and `done` runs later: a crash can fall before, between and after.
#pragma once

#include <deque>
#include <functional>

#include "tests/support/sim_clock.h"
#include "wal/base/worker.h"

namespace tideover::sim {

class SimWorker final : public Worker {
 public:
  // `latency` says how long the next job takes. `clock` outlives the worker.
  SimWorker(SimClock& clock, std::function<Duration()> latency)
      : clock_(clock), latency_(std::move(latency)) {}
  ~SimWorker() override;

  void submit(std::function<void()> job, std::function<void()> done) override;
  // The job under way ends now: its owner is dead, and nobody need wait for the disk any longer.
  void hurry();
  bool idle() const { return waiting_.empty() && replies_.empty(); }

 private:
  struct Task {
    std::function<void()> job;
    std::function<void()> done;
  };

  void start_next();
  void run_job();
  void hand_back(std::function<void()> reply);

  SimClock& clock_;
  const std::function<Duration()> latency_;
  std::deque<Task> waiting_;                   // the front one is being run
  std::deque<std::function<void()>> replies_;  // jobs done whose `done` is on its way
  Clock::TimerId job_timer_ = 0;
  std::deque<Clock::TimerId> reply_timers_;
};

}  // namespace tideover::sim
