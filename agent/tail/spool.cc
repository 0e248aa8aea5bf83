#include "agent/tail/spool.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "wal/base/await_callback.h"

namespace tideover::tail {
namespace {

constexpr std::size_t kKeptLargest = 100;  // of what describe() says while a sweep is under way

std::uint64_t number_of(const std::optional<std::string>& note) {
  std::uint64_t number = 0;
  if (note) std::from_chars(note->data(), note->data() + note->size(), number);
  return number;
}

std::int64_t unix_ns(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.wall_now().time_since_epoch()).count();
}

}  // namespace

Spool::Spool(wal::Queue& queue, Files& files, Worker& worker, Clock& clock, StreamLabels labels,
             SpoolOptions options)
    : queue_(queue),
      worker_(worker),
      clock_(clock),
      options_(std::move(options)),
      sweeper_(files, std::move(labels), options_.sweep, queue.checkpoints(kPositionPrefix)),
      wake_(clock),
      batch_(number_of(queue.checkpoint(kBatchKey))) {}

Spool::~Spool() = default;

awaitable<void> Spool::run() {
  Duration retry{};
  while (!stopping_) {
    Swept swept;
    std::function<void()> sweep = [this, &swept, at = unix_ns(clock_), now = clock_.now()] {
      swept = sweeper_.sweep(at, now);
    };
    co_await on_worker(std::move(sweep));
    for (const std::string& sentence : swept.notes) options_.on_note(sentence);
    const bool more = swept.more;
    bool taken = true;
    if (!swept.empty()) taken = co_await commit(std::move(swept));
    if (stopping_) break;
    refused_ = !taken;
    if (!taken) {
      std::function<void()> rollback = [this] { sweeper_.rollback(); };
      co_await on_worker(std::move(rollback));
      retry = std::clamp(retry * 2, options_.retry_first, options_.retry_max);
      co_await pause(retry);
      continue;
    }
    retry = {};
    if (!more) co_await pause(options_.sweep.poll);
  }
}

void Spool::stop() {
  stopping_ = true;
  wake_.notify();
}

SpoolStatus Spool::describe(std::size_t largest_max) {
  if (!sweeping_) return sweeper_.describe(largest_max);
  SpoolStatus status = status_;
  while (status.largest.size() > largest_max) {
    status.rest += status.largest.back().tally;
    status.largest.pop_back();
  }
  return status;
}

// The sweeper is the job's until it has ended, and run() waits for that: also when it is to stop.
awaitable<void> Spool::on_worker(std::function<void()> job) {
  if (clock_.now() >= status_from_ + options_.sweep.poll) {
    status_from_ = clock_.now();
    status_ = sweeper_.describe(kKeptLargest);
  }
  sweeping_ = true;
  auto start = [this, &job](std::function<void(bool)> done) {
    worker_.submit(std::move(job), [done = std::move(done)] { done(true); });
  };
  co_await await_callback<bool>(std::move(start));
  sweeping_ = false;
}

// True: it is durable, and the sweeper knows.
awaitable<bool> Spool::commit(Swept swept) {
  const std::uint64_t number = ++batch_;
  wal::Checkpoint witness;
  witness.key = kBatchKey;
  witness.value = std::to_string(number);
  swept.positions.push_back(std::move(witness));
  const Result<> done = co_await append(std::move(swept));
  if (!done && done.error().code != Errc::stopping) {
    if (!refused_) options_.on_note("logs wait in their files: " + done.error().detail);
    while (queue_.fault() && !stopping_) co_await pause(options_.sweep.poll);
  }
  if (!done && queue_.checkpoint(kBatchKey) != std::to_string(number)) co_return false;
  sweeper_.committed();
  co_return true;
}

awaitable<Result<>> Spool::append(Swept swept) {
  if (swept.record)
    co_return co_await queue_.append(options_.lane, std::move(*swept.record), std::move(swept.positions));
  co_return co_await queue_.put_checkpoints(std::move(swept.positions));
}

awaitable<void> Spool::pause(Duration duration) {
  if (!stopping_) co_await wake_.wait_until(clock_.now() + duration);
}

}  // namespace tideover::tail
