#include "agent/buffer_watch.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/log/log.h"
#include "wal/retention.h"

namespace tideover {
namespace {

constexpr double kTellingSeconds = 60;  // a younger backlog may be a burst

}  // namespace

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
  measure(queue_.refusal(of_.lane, refused_bytes).has_value());
  const admin::BufferSnapshot now = describe(refused_bytes);
  log_floor();
  log_refusal(now.refusing);
  if (now.refusing.empty()) log_guarantee(now.survivable_seconds);
}

void BufferWatch::measure(bool refusing) {
  const std::uint64_t bytes = queue_.usage(of_.lane).accepted.bytes;
  if (refusing) return survivability_.skip(clock_.now(), bytes);
  survivability_.observe(clock_.now(), bytes);
  if (!survivability_.begins()) return;
  // A restart in an outage: what has gathered since that began tells how fast it does.
  const admin::BufferSnapshot found = describe(0);
  const double age = admin::age_seconds(to_unix_ms(clock_.wall_now()), found.oldest_ms);
  if (age > kTellingSeconds) survivability_.assume(static_cast<double>(found.held.bytes) / age);
}

void BufferWatch::log_floor() {
  const wal::StoreUsage store = queue_.store_usage();
  const wal::DiskFill disk{store.free_bytes, store.total_bytes};
  const bool below = wal::below_floor(disk, limits_);
  if (below == below_floor_) return;
  below_floor_ = below;
  const log::Field signal("signal", of_.signal);
  const log::Field free("free_bytes", static_cast<std::int64_t>(store.free_bytes));
  const log::Field floor("floor_bytes", static_cast<std::int64_t>(wal::floor_bytes(disk, limits_)));
  if (below)
    log::event(
        log::Level::warn,
        fmt::format("the file system has less free than is to be kept free: {} flow while their receiver "
                    "takes them, and little is kept for when it does not",
                    of_.units),
        {signal, free, floor, {"room_bytes", static_cast<std::int64_t>(queue_.usage(of_.lane).room_bytes)}});
  else
    log::event(log::Level::info, "the file system has more free than is to be kept free again",
               {signal, free, floor});
}

void BufferWatch::log_refusal(const std::string& refusing) {
  if (refusing.empty() != refusing_) return;
  refusing_ = !refusing.empty();
  if (refusing_)
    log::event(log::Level::error, fmt::format("new {} are refused with 503", of_.units),
               {{"signal", of_.signal}, {"because", refusing}});
  else
    log::event(log::Level::info, fmt::format("new {} are taken again", of_.units), {{"signal", of_.signal}});
}

void BufferWatch::log_guarantee(std::optional<double> survivable_seconds) {
  const double promised = std::chrono::duration<double>(of_.guarantee).count();
  const bool below = survivable_seconds && *survivable_seconds < promised;
  if (below == below_guarantee_) return;
  below_guarantee_ = below;
  if (below)
    log::event(
        log::Level::warn,
        fmt::format("the buffer would not last as long as promised: raise {}.max_bytes, or lower guarantee",
                    of_.signal),
        {{"survivable_seconds", static_cast<std::int64_t>(*survivable_seconds)},
         {"guarantee_seconds", static_cast<std::int64_t>(promised)}});
  else
    log::event(log::Level::info, "the buffer lasts as long as promised again", {{"signal", of_.signal}});
}

admin::BufferSnapshot BufferWatch::describe(std::uint64_t refused_bytes) const {
  admin::BufferSnapshot b;
  const wal::LaneUsage usage = queue_.usage(of_.lane);
  b.held = usage.held;
  for (const wal::CursorUsage& c : queue_.cursors(of_.lane)) {
    if (c.oldest_ms != 0 && (b.oldest_ms == 0 || c.oldest_ms < b.oldest_ms)) b.oldest_ms = c.oldest_ms;
  }
  b.max_bytes = usage.max_bytes;
  b.survivable_seconds = survivability_.seconds(usage.room_bytes);
  if (const auto now = queue_.refusal(of_.lane, refused_bytes)) {
    b.refusing = now->sentence;
    b.survivable_seconds = 0;
  }
  return b;
}

}  // namespace tideover
