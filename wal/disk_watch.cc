#include "wal/disk_watch.h"

#include <memory>
#include <utility>

namespace tideover::wal {

void DiskWatch::start(const StoreUsage& usage) {
  usage_ = usage;
  wait();
}

void DiskWatch::stop() {
  stopped_ = true;
  if (timer_ != 0) clock_.cancel(std::exchange(timer_, 0));
}

DiskFill DiskWatch::fill() const {
  const std::uint64_t written = metrics_.appended_bytes - appended_at_usage_;
  // What lies in the log by now takes as much again when the store is opened.
  const std::uint64_t reopen = usage_.reopen_bytes == 0 ? 0 : usage_.reopen_bytes + written;
  return {usage_.free_bytes > written ? usage_.free_bytes - written : 0, usage_.total_bytes,
          usage_.set_aside_bytes, reopen};
}

void DiskWatch::wait() {
  timer_ = clock_.call_at(clock_.now() + limits_.usage_interval, [this] {
    timer_ = 0;
    look_();
    auto usage = std::make_shared<StoreUsage>();
    writer_.submit([this, usage] { *usage = store_.usage(); },
                   [this, usage] {
                     usage_ = *usage;
                     appended_at_usage_ = metrics_.appended_bytes;
                     if (!stopped_) wait();
                   });
  });
}

}  // namespace tideover::wal
