// How what is read of a lane becomes the next batch of its LaneSender.
#include <algorithm>
#include <iterator>
#include <utility>

#include "forwarders/lane_sender.h"
#include "forwarders/side_lanes.h"
#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// One read feeds several requests; large enough to merge a full one, small enough to hold twice.
constexpr std::uint64_t kReadBytes = 1 << 20;
// A wait for records ends now and then by itself, so that nothing depends on a wake-up alone.
constexpr Duration kIdleWait = std::chrono::seconds(60);
// After a lull, what comes within this time goes out in one request: a lone record costs the agent and the
// receiver nearly as much as a full request does.
constexpr Duration kGatherTime = std::chrono::milliseconds(20);
constexpr Duration kQueueFaultWait = std::chrono::seconds(1);
// Records this old that are found at a start are a backlog: they are replayed gently.
constexpr std::int64_t kOldMs = 30'000;

bool begins_run(const wal::StoredRecord& record) { return (record.attributes.flags & kOvertaken) != 0; }

}  // namespace

awaitable<Event> LaneSender::read() {
  // A request that would use up the window may take more: read again, unless this is all there is.
  const std::size_t ready = planned(window_.at_hand());
  if (ready > 0 && ready < window_.at_hand().size()) co_return begin_batch(ready);
  if (std::exchange(drained_, false)) {
    const Time deadline = shared_.clock.now() + kIdleWait;
    co_await shared_.queue.wait_readable(options_.lane.cursor, deadline);
    const Time gathered = shared_.clock.now() + kGatherTime;
    co_await sleep(gathered);
  }
  if (stopping_) co_return Event::stop();
  const Result<> filled = co_await window_.fill(kReadBytes);
  if (filled.has_error()) {
    co_await wait_after(filled.error().code);
    co_return Event::proceed();
  }
  if (window_.at_hand().empty()) {
    drained_ = true;
    co_return Event::empty();
  }
  co_return begin_batch(planned(window_.at_hand()));
}

// An operator dropped the cursor, or the agent ends: then there is nothing left to do here. Otherwise the
// queue is asked again.
awaitable<void> LaneSender::wait_after(Errc error) {
  if (error == Errc::stopping || error == Errc::not_found) stopping_ = true;
  const Time later = shared_.clock.now() + kQueueFaultWait;
  co_await sleep(later);
}

Event LaneSender::begin_batch(std::size_t records) {
  invariant(records > 0 && records <= window_.at_hand().size(), "a batch is made of records that were read");
  const auto batch = window_.at_hand().first(records);
  const Seq upto = window_.end_of(records);
  load_ = shared_.destination.load({batch.begin(), batch.end()});
  batch_records_ = records;
  const Loaded read = loaded(batch, upto);
  if (read.found_at_start && !std::exchange(replay_noted_, true)) {
    const std::int64_t age_ms = to_unix_ms(shared_.clock.wall_now()) - batch.front().attributes.arrival_ms;
    if (age_ms > kOldMs) machine_.begin_replay(shared_.clock.now());
  }
  // The first of a round is loaded before the round begins.
  settlement_.begin(batch.front().seq, upto, read.beyond_round || begins_run(batch.front()));
  return Event::loaded(read);
}

Loaded LaneSender::loaded(std::span<const wal::StoredRecord> batch, Seq upto) const {
  const Seq first = batch.front().seq;
  Loaded loaded;
  loaded.units = load_->units();
  for (const wal::StoredRecord& record : batch) loaded.raw_bytes += record.attributes.raw_bytes;
  loaded.found_at_start = first < found_at_start_;
  loaded.repeated = first < repeated_before_;
  loaded.overtaken = first < overtaken_before_;
  loaded.remembered = !(overtaken_before_ < upto);
  loaded.beyond_round = !(first < round_end_);
  return loaded;
}

// What the receiver takes, and what the line carries in good time: several records that together are too much
// for a slow line are sent one after the other.
RequestLimits LaneSender::request_limits() const {
  RequestLimits limits = machine_.request_limits();
  const std::uint64_t bytes = machine_.pace().comfortable_bytes();
  const double weight = exchange_.inflow().bytes_per_unit();
  if (weight > 0)
    limits.units =
        std::min(limits.units, static_cast<std::uint64_t>(static_cast<double>(bytes) / weight) + 1);
  else  // the first request: what it will weigh is not known, but no more than this
    limits.raw_bytes = std::min(limits.raw_bytes, bytes);
  return limits;
}

std::size_t LaneSender::planned(std::span<const wal::StoredRecord> records) const {
  if (records.empty()) return 0;
  // A gap is a damaged record, which may have begun a run.
  const bool side = options_.lane.role != Role::main;
  const auto breaks = [side](const wal::StoredRecord& before, const wal::StoredRecord& record) {
    return side && (begins_run(record) || record.seq != next(before.seq));
  };
  const auto last = std::adjacent_find(records.begin(), records.end(), breaks);
  const auto next_run = last == records.end() ? last : last + 1;
  return shared_.destination.plan(records.first(static_cast<std::size_t>(next_run - records.begin())),
                                  request_limits());
}

// What is left of a batch that cannot be acknowledged is read and sent again, though it may have arrived.
void LaneSender::take_back(Seq upto) {
  window_.forget();
  settlement_.abandon();
  repeated_before_ = upto;
}

// What is in the lane by now has one turn each; what is put back, or comes meanwhile, has its turn in the
// next round.
void LaneSender::begin_round() {
  const wal::CursorUsage usage = shared_.usage_of(options_.lane.id);
  round_end_ = Seq{usage.position.value + usage.behind.records};
}

}  // namespace tideover::forward
