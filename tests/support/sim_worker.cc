#include "tests/support/sim_worker.h"

#include <utility>

namespace tideover::sim {
namespace {

// The way from the worker's thread back to the io thread: long enough for a crash to fall into.
constexpr Duration kHandBack = std::chrono::microseconds(50);

}  // namespace

SimWorker::~SimWorker() {
  clock_.cancel(job_timer_);
  for (const Clock::TimerId timer : reply_timers_) clock_.cancel(timer);
}

void SimWorker::submit(std::function<void()> job, std::function<void()> done) {
  waiting_.push_back({std::move(job), std::move(done)});
  if (waiting_.size() == 1) start_next();
}

void SimWorker::start_next() {
  job_timer_ = clock_.call_at(clock_.now() + latency_(), [this] { run_job(); });
}

void SimWorker::hurry() {
  if (job_timer_ == 0) return;
  clock_.cancel(job_timer_);
  job_timer_ = clock_.call_at(clock_.now(), [this] { run_job(); });
}

void SimWorker::run_job() {
  job_timer_ = 0;
  std::exchange(waiting_.front().job, nullptr)();
  std::function<void()> reply = std::move(waiting_.front().done);
  waiting_.pop_front();
  if (reply) hand_back(std::move(reply));
  if (!waiting_.empty()) start_next();
}

void SimWorker::hand_back(std::function<void()> reply) {
  replies_.push_back(std::move(reply));
  reply_timers_.push_back(clock_.call_at(clock_.now() + kHandBack, [this] {
    reply_timers_.pop_front();
    const std::function<void()> done = std::move(replies_.front());
    replies_.pop_front();
    done();
  }));
}

}  // namespace tideover::sim
