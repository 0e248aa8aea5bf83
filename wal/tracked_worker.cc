#include "wal/tracked_worker.h"

#include <utility>

#include "wal/base/await_callback.h"

namespace tideover::wal {

void TrackedWorker::submit(std::function<void()> job, std::function<void()> done) {
  ++submitted_;
  below_.submit(std::move(job), std::move(done));
}

// Jobs run in order: behind one of ours all before it are done.
awaitable<void> TrackedWorker::pass_through() {
  auto start = [this](std::function<void(bool)> done) {
    below_.submit([] {}, [done = std::move(done)] { done(true); });
  };
  co_await await_callback<bool>(std::move(start));
}

awaitable<void> TrackedWorker::run_dry(TrackedWorker& first, TrackedWorker& second) {
  while (true) {
    const std::uint64_t seen = first.submitted_ + second.submitted_;
    co_await first.pass_through();
    co_await second.pass_through();
    if (first.submitted_ + second.submitted_ == seen) co_return;
  }
}

}  // namespace tideover::wal
