// A worker that knows whether something of its owner is left on it, so that the owner can end: what it waits
// for covers jobs, what follows them on the io executor, and the jobs which that submits.
//
// Executor: io. The worker below outlives it, and whatever runs on it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>

#include "wal/base/clock.h"
#include "wal/base/worker.h"

namespace tideover::wal {

class TrackedWorker final : public Worker {
 public:
  explicit TrackedWorker(Worker& below) : below_(below) {}

  void submit(std::function<void()> job, std::function<void()> done) override;

  // Completes when nothing that was submitted to either of them is left, nor anything that follows from it.
  static awaitable<void> run_dry(TrackedWorker& first, TrackedWorker& second);

 private:
  awaitable<void> pass_through();

  Worker& below_;
  std::uint64_t submitted_ = 0;
};

}  // namespace tideover::wal
