#include "agent/buffer_watch.h"

#include <algorithm>

#include "agent/log/log.h"
#include "wal/retention.h"

namespace tideover {

admin::StoreSnapshot describe_store(const wal::Queue& queue, const wal::WalLimits& limits,
                                    const wal::WalMetrics& metrics) {
  const wal::StoreUsage usage = queue.store_usage();
  admin::StoreSnapshot s;
  s.disk_bytes = usage.disk_bytes;
  s.memory_bytes = usage.memory_bytes;
  s.unreadable_pages = usage.unreadable_pages;
  s.free_bytes = usage.free_bytes;
  s.total_bytes = usage.total_bytes;
  s.floor_bytes = wal::floor_bytes({usage.free_bytes, usage.total_bytes}, limits);
  s.wal = metrics;
  return s;
}

void BufferWatch::observe(std::uint64_t refused_bytes) {
  survivability_.observe(clock_.now(), queue_.usage(lane_).accepted.bytes);
  const admin::BufferSnapshot now = describe(refused_bytes);
  log_refusal(now.refusing);
  log_guarantee(now.survivable_seconds);
}

void BufferWatch::log_refusal(const std::string& refusing) {
  if (refusing.empty() != refusing_) return;
  refusing_ = !refusing.empty();
  if (refusing_)
    log::event(log::Level::error, "new samples are refused with 503", {{"because", refusing}});
  else
    log::event(log::Level::info, "new samples are taken again");
}

void BufferWatch::log_guarantee(std::optional<double> survivable_seconds) {
  const double promised = std::chrono::duration<double>(guarantee_).count();
  const bool below = survivable_seconds && *survivable_seconds < promised;
  if (below == below_guarantee_) return;
  below_guarantee_ = below;
  if (below)
    log::event(log::Level::warn,
               "the buffer would not last as long as promised: raise metrics.max_bytes, or lower guarantee",
               {{"survivable_seconds", static_cast<std::int64_t>(*survivable_seconds)},
                {"guarantee_seconds", static_cast<std::int64_t>(promised)}});
  else
    log::event(log::Level::info, "the buffer lasts as long as promised again");
}

admin::BufferSnapshot BufferWatch::describe(std::uint64_t refused_bytes) const {
  admin::BufferSnapshot b;
  const wal::LaneUsage usage = queue_.usage(lane_);
  const wal::StoreUsage store = queue_.store_usage();
  for (const wal::CursorUsage& c : queue_.cursors(lane_)) {
    if (c.behind.bytes >= b.held.bytes) b.held = c.behind;
    if (c.oldest_ms != 0 && (b.oldest_ms == 0 || c.oldest_ms < b.oldest_ms)) b.oldest_ms = c.oldest_ms;
  }
  b.max_bytes = usage.max_bytes;
  const std::uint64_t floor = wal::floor_bytes({store.free_bytes, store.total_bytes}, limits_);
  const std::uint64_t budget_room = b.max_bytes > b.held.bytes ? b.max_bytes - b.held.bytes : 0;
  const std::uint64_t disk_room = store.free_bytes > floor ? store.free_bytes - floor : 0;
  b.survivable_seconds = survivability_.seconds(std::min(budget_room, disk_room));
  if (const auto now = queue_.refusal(lane_, refused_bytes)) b.refusing = now->sentence;
  return b;
}

}  // namespace tideover
