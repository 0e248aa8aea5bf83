// Reads the logs of a node into a lane of the queue: sweep, append, and again.
//
// One batch holds the lines of a sweep and the positions of all containers that it touched, so that a crash
// at any point neither loses nor repeats one. While the queue takes nothing the files keep what there is: the
// same sweep is tried again, ever less often, up to `retry_max`. A batch whose commit failed may have reached
// the disk all the same; it carries a number (kBatchKey), by which the queue says so once it has opened the
// store again.
//
// No inotify: ADR 28. Executor: io; what blocks runs on `worker`, which may be shared. Life: once the queue
// is open, run() as a task, stop(), join; all references outlive that. Errors are sentences for the log
// (`on_note`): nothing ends the loop but stop().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/tail/sweeper.h"
#include "wal/base/clock.h"
#include "wal/base/notifier.h"
#include "wal/base/worker.h"
#include "wal/queue.h"

namespace tideover::tail {

inline constexpr std::string_view kBatchKey = "logs/batch";  // of the last one, a decimal number

struct SpoolOptions {
  SweepOptions sweep;
  LaneId lane;
  Duration retry_first = std::chrono::milliseconds(100);
  Duration retry_max = std::chrono::seconds(5);
  std::function<void(const std::string& sentence)> on_note = [](const std::string&) {};
};

class Spool {
 public:
  Spool(wal::Queue& queue, Files& files, Worker& worker, Clock& clock, StreamLabels labels,
        SpoolOptions options);
  ~Spool();

  awaitable<void> run();
  void stop();

  // At most `largest_max` containers by themselves. While a sweep is under way it may be a poll old.
  SpoolStatus describe(std::size_t largest_max);
  bool refused() const { return refused_; }  // the last batch was, and is tried again

 private:
  awaitable<void> on_worker(std::function<void()> job);
  awaitable<bool> commit(Swept swept);
  awaitable<Result<>> append(Swept swept);
  awaitable<void> pause(Duration duration);

  wal::Queue& queue_;
  Worker& worker_;
  Clock& clock_;
  const SpoolOptions options_;
  Sweeper sweeper_;
  Notifier wake_;
  std::uint64_t batch_ = 0;  // the last number that was used
  bool stopping_ = false;
  bool sweeping_ = false;  // the sweeper belongs to the worker
  bool refused_ = false;
  SpoolStatus status_;  // as it was before, at
  Time status_from_{};
};

}  // namespace tideover::tail
