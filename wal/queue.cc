#include "wal/queue.h"

#include <algorithm>
#include <map>
#include <utility>

#include "wal/adoption.h"
#include "wal/backlog_reader.h"
#include "wal/base/await_callback.h"
#include "wal/base/invariant.h"
#include "wal/committer.h"
#include "wal/disk_watch.h"
#include "wal/lane_table.h"
#include "wal/release.h"
#include "wal/retention.h"
#include "wal/signal.h"
#include "wal/tracked_worker.h"
#include "wal/trimmer.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

SignalLimits own_limits(const WalLimits& limits) {
  SignalLimits own;
  own.group_bytes = limits.group_bytes;
  own.waiting_bytes = limits.waiting_bytes;
  own.fresh_bytes = limits.tail_bytes;
  own.flow_bytes = limits.flow_bytes;
  return own;
}

}  // namespace

class Queue::Impl {
 public:
  Impl(Store& store, Worker& writer, Worker& reader, Clock& clock, const WalLimits& limits,
       WalMetrics& metrics)
      : store_(store),
        writer_(writer),
        reader_(reader),
        limits_(limits),
        metrics_(metrics),
        table_(clock),
        committer_(
            store, writer_, clock, limits_, metrics,
            {[this](const Lane& lane) { return value_of(table_.at(lane.id())); }, [this] { settled(); },
             [this](const std::string& key, const std::string& value) { noted(key, value); },
             [this](StoreImage image) { reopened(image); }}),
        backlog_(store, reader_, clock, limits_),
        trimmer_(store, reader_, committer_, metrics),
        disk_(store, writer_, clock, limits_, metrics, [this] { look_around(); }) {
    open_signal(own_limits(limits_));
  }

  awaitable<Result<>> open() {
    struct Opened {
      Result<StoreImage> image = fail(Errc::unavailable, "not opened yet");
      StoreUsage usage;
    };
    auto opened = std::make_shared<Opened>();
    auto start = [this, opened](std::function<void(bool)> done) {
      writer_.submit(
          [this, opened] {
            opened->image = store_.open();
            opened->usage = store_.usage();
          },
          [done = std::move(done)] { done(true); });
    };
    co_await await_callback<bool>(std::move(start));
    if (!opened->image) co_return opened->image.error();
    const StoreImage& image = *opened->image;
    const Result<Adopted> adopted = adopt_first(image, table_, *signals_.front());
    if (!adopted) co_return adopted.error();
    committer_.start_from(last_group(image));
    for (const auto& [key, value] : image.meta)
      if (key.starts_with(kCheckpointPrefix)) noted(key.substr(kCheckpointPrefix.size()), value);
    metrics_.damaged_records += image.damaged_at_tail;
    write_anew(*adopted);
    disk_.start(opened->usage);
    co_return boost::system::in_place_value;
  }

  SignalId open_signal(const SignalLimits& limits) {
    signals_.push_back(std::make_unique<Signal>(limits));
    return SignalId{static_cast<std::uint32_t>(signals_.size() - 1)};
  }

  LaneId open_lane(std::string_view name, const LaneOptions& options) {
    Signal& signal = *signals_.at(options.signal.value);
    OpenLane* open = table_.find(name);
    const bool born = open == nullptr || open->given_up;
    if (open == nullptr) open = &adopt_lane(std::string(name), table_, signal);
    open->lane.join(signal);
    open->options = options;
    open->given_up = false;
    if (born) committer_.born(open->lane);
    return open->lane.id();
  }

  CursorId open_cursor(LaneId lane_id, std::string_view name, Keep keep, StartAt start) {
    OpenLane& open = table_.at(lane_id);
    if (const auto known = table_.find(open, name)) {
      OpenCursor& cursor = table_.at(*known);
      cursor.keep = keep;
      if (is_away(cursor.cursor.state())) {
        cursor.cursor.come_back(open.lane.durable());
        committer_.moved(open.lane, cursor.cursor);
      }
      return *known;
    }
    const CursorId id = table_.add(open, std::string(name), place_of_new(open, start), keep);
    committer_.born(open.lane, table_.at(id).cursor);
    return id;
  }

  Result<CursorId> leave_cursor(LaneId lane_id, std::string_view name) {
    OpenLane& open = table_.at(lane_id);
    const auto id = table_.find(open, name);
    if (!id) return fail(Errc::not_found, "no cursor of that name");
    OpenCursor& cursor = table_.at(*id);
    cursor.keep = Keep::best_effort;
    cursor.cursor.leave(open.lane.durable());
    committer_.moved(open.lane, cursor.cursor);
    return *id;
  }

  std::optional<LaneId> find_lane(std::string_view name) {
    const OpenLane* open = table_.find(name);
    return open != nullptr && !open->given_up ? std::optional(open->lane.id()) : std::nullopt;
  }

  awaitable<Result<>> append(LaneId lane_id, NewRecord record, Checkpoint checkpoint) {
    OpenLane& open = table_.at(lane_id);
    if (auto refused = refusal(open, record.bytes.size()))
      co_return fail(refused->code, std::move(refused->sentence));
    auto start = [&, this](std::function<void(Result<>)> done) {
      committer_.append(open.lane, std::move(record), std::move(checkpoint), std::move(done));
    };
    co_return co_await await_callback<Result<>>(std::move(start));
  }

  awaitable<Result<Batch>> read(CursorId id, std::uint64_t max_bytes) {
    return backlog_.read(table_.at(id), max_bytes);
  }

  bool ack(CursorId id, Ack ack) {
    OpenCursor& open = table_.at(id);
    if (open.dropped) return false;
    std::uint64_t diverted = 0;
    for (const Ack::Divert& divert : ack.diverts)
      if (divert.settles) diverted += divert.record.attributes.units;
    const auto damaged = open.cursor.apply(ack, diverted);
    if (!damaged) return false;
    metrics_.damaged_records += *damaged;
    for (Ack::Divert& divert : ack.diverts)
      committer_.divert(table_.at(divert.to).lane, std::move(divert.record));
    committer_.moved(open.lane, open.cursor);
    open.lane.forget_before(oldest_needed(table_.at(open.lane.id())));
    return true;
  }

  awaitable<Result<>> mark_overtaken(CursorId id, Seq before) {
    OpenCursor& open = table_.at(id);
    if (open.dropped) co_return fail(Errc::not_found, "the cursor was dropped by an operator");
    open.cursor.mark_overtaken(before);
    committer_.moved(open.lane, open.cursor);
    co_return co_await flush();
  }

  awaitable<void> wait_readable(CursorId id, Time deadline) {
    OpenCursor& open = table_.at(id);
    if (!stopping_ && !has_more(open.cursor.state(), open.lane.durable()))
      co_await open.readable.wait_until(deadline);
  }

  void interrupt(CursorId id) { table_.at(id).readable.notify(); }

  Result<> drop_cursor(LaneId lane_id, std::string_view name) {
    OpenLane& open = table_.at(lane_id);
    const auto id = table_.find(open, name);
    if (!id) return fail(Errc::not_found, "no cursor of that name");
    drop(open, table_.at(*id));
    return boost::system::in_place_value;
  }

  Result<> drop_lane(LaneId lane_id) {
    OpenLane* open = table_.find(lane_id);
    if (open == nullptr || open->given_up) return fail(Errc::not_found, "no lane of that number");
    while (!open->cursors.empty()) drop(*open, *open->cursors.front());
    open->given_up = true;
    open->cursors_unknown = false;
    open->lane.forget_before(next(open->lane.durable().tail));
    committer_.changed(open->lane);
    return boost::system::in_place_value;
  }

  std::optional<std::string> checkpoint(std::string_view key) const {
    const auto note = notes_.find(key);
    return note == notes_.end() ? std::nullopt : std::optional(note->second);
  }

  std::vector<Checkpoint> checkpoints(std::string_view prefix) const {
    std::vector<Checkpoint> found;
    for (auto it = notes_.lower_bound(prefix); it != notes_.end() && it->first.starts_with(prefix); ++it)
      found.push_back({it->first, it->second});
    return found;
  }

  awaitable<Result<>> put_checkpoint(Checkpoint checkpoint) {
    auto start = [&, this](std::function<void(Result<>)> done) {
      committer_.note(std::move(checkpoint), std::move(done));
    };
    co_return co_await await_callback<Result<>>(std::move(start));
  }

  awaitable<Result<>> flush() {
    auto start = [this](std::function<void(Result<>)> done) { committer_.flush(std::move(done)); };
    co_return co_await await_callback<Result<>>(std::move(start));
  }

  awaitable<void> stop() {
    if (!std::exchange(stopping_, true)) {
      backlog_.stop();
      for (const auto& open : table_.cursors()) open->readable.notify();
      // What waits is committed first; the store may be in a fault, then it cannot be, and nothing was
      // promised.
      co_await flush();
      committer_.stop();
      trimmer_.stop();
      disk_.stop();
    }
    co_await TrackedWorker::run_dry(reader_, writer_);
  }

  std::optional<Refusal> refusal(const OpenLane& open, std::uint64_t bytes) const {
    if (stopping_) return Refusal{Errc::stopping, "the agent is shutting down"};
    if (open.given_up) return Refusal{Errc::not_found, "the lane was given up"};
    if (open.lane.is_full()) return Refusal{Errc::unavailable, "the lane has no numbers left to give"};
    if (committer_.fault()) return Refusal{committer_.fault()->code, committer_.fault()->detail};
    return refuse(fill_of(open), disk_.fill(), bytes, limits_);
  }

  std::optional<Refusal> refusal(LaneId lane, std::uint64_t bytes) { return refusal(table_.at(lane), bytes); }

  const std::optional<Error>& fault() const { return committer_.fault(); }

  LaneUsage usage(LaneId lane_id) {
    const OpenLane& open = table_.at(lane_id);
    LaneUsage usage;
    usage.accepted = open.lane.durable().totals;
    usage.held = held(open);
    usage.max_bytes = open.options.max_bytes;
    usage.room_bytes = room_bytes(fill_of(open), disk_.fill(), limits_);
    usage.pending_units = committer_.pending_units(open.lane);
    return usage;
  }

  std::vector<CursorUsage> cursors(LaneId lane_id) {
    std::vector<CursorUsage> result;
    const OpenLane& open = table_.at(lane_id);
    const LaneState& tail = open.lane.durable();
    for (const OpenCursor* c : open.cursors) {
      const CursorState& state = c->cursor.state();
      result.push_back({c->cursor.name(), state.next, state.overtaken_before, behind(state, tail.totals),
                        accepted(state, tail), state.ledger, c->keep,
                        has_more(state, tail) ? c->oldest_ms : 0});
    }
    return result;
  }

  StoreUsage store_usage() const { return disk_.usage(); }

 private:
  void noted(const std::string& key, const std::string& value) {
    if (value.empty())
      notes_.erase(key);
    else
      notes_[key] = value;
  }

  LaneFill fill_of(const OpenLane& open) const {
    const Signal& signal = open.lane.signal();
    LaneFill fill;
    fill.waiting_bytes = signal.waiting_bytes;
    fill.waiting_bytes_max = signal.limits.waiting_bytes;
    fill.max_bytes = open.options.max_bytes;
    fill.refuse_at_floor = open.options.refuse_at_floor;
    fill.needed_bytes = needed_bytes(open);
    fill.flow_bytes = signal.limits.flow_bytes;
    for (const Lane* lane : signal.lanes) {
      const OpenLane* other = table_.find(lane->id());
      if (other != nullptr && other->options.refuse_at_floor)
        fill.signal_needed_bytes += needed_bytes(*other);
    }
    return fill;
  }

  void drop(OpenLane& open, OpenCursor& c) {
    c.cursor.give_up(open.lane.durable());
    c.dropped = true;
    std::erase(open.cursors, &c);
    open.leaving.push_back(&c);
    committer_.forget(open.lane, c.cursor);
    c.readable.notify();
  }

  // Crash before that is durable: the next opening finds the same damage, and does the same.
  void write_anew(const Adopted& adopted) {
    for (OpenLane* lane : adopted.lost_lanes) committer_.born(lane->lane);
    for (OpenCursor* cursor : adopted.lost_cursors) committer_.born(cursor->lane, cursor->cursor);
  }

  void reopened(const StoreImage& image) {
    metrics_.damaged_records += image.damaged_at_tail;
    write_anew(adopt_again(image, table_));
    for (const auto& [key, value] : notes_) {
      const auto stored = image.meta.find(std::string(kCheckpointPrefix) + key);
      if (stored == image.meta.end() || stored->second != value)
        committer_.note({key, value}, [](const Result<>&) {});
    }
    settled();
  }

  void settled() {
    const bool low = below_floor(disk_.fill(), limits_);
    for (const auto& [id, open] : table_.lanes()) {
      for (OpenCursor* c : open->cursors)
        if (c->held_up || has_more(c->cursor.state(), open->lane.durable())) c->readable.notify();
      open->lane.forget_before(oldest_needed(*open));
      release(*open, false);
      trimmer_.trim(*open, low);
    }
  }

  // Also when no group does: after a start, and for lanes at rest.
  void look_around() {
    if (stopping_) return;
    const bool low = below_floor(disk_.fill(), limits_);
    for (const auto& [id, open] : table_.lanes()) {
      release(*open, true);
      trimmer_.trim(*open, low);
    }
  }

  void release(OpenLane& open, bool again) {
    if (auto released = to_release(open, again))
      writer_.submit([this, id = open.lane.id(), what = std::move(*released)] { store_.release(id, what); },
                     nullptr);
  }

  Store& store_;
  TrackedWorker writer_;
  TrackedWorker reader_;
  const WalLimits limits_;
  WalMetrics& metrics_;
  std::vector<std::unique_ptr<Signal>> signals_;  // before the lanes, which refer to them
  LaneTable table_;
  std::map<std::string, std::string, std::less<>> notes_;  // of producers, as durable
  Committer committer_;
  BacklogReader backlog_;
  Trimmer trimmer_;
  DiskWatch disk_;
  bool stopping_ = false;
};

Queue::Queue(Store& store, Worker& writer, Worker& reader, Clock& clock, const WalLimits& limits,
             WalMetrics& metrics)
    : impl_(std::make_unique<Impl>(store, writer, reader, clock, limits, metrics)) {}
Queue::~Queue() = default;

awaitable<Result<>> Queue::open() { return impl_->open(); }
SignalId Queue::open_signal(const SignalLimits& limits) { return impl_->open_signal(limits); }
LaneId Queue::open_lane(std::string_view name, const LaneOptions& options) {
  return impl_->open_lane(name, options);
}
CursorId Queue::open_cursor(LaneId lane, std::string_view name, Keep keep, StartAt start) {
  return impl_->open_cursor(lane, name, keep, start);
}
Result<CursorId> Queue::leave_cursor(LaneId lane, std::string_view name) {
  return impl_->leave_cursor(lane, name);
}
std::optional<LaneId> Queue::find_lane(std::string_view name) const { return impl_->find_lane(name); }
awaitable<Result<>> Queue::append(LaneId lane, NewRecord record) {
  return impl_->append(lane, std::move(record), Checkpoint());
}
awaitable<Result<>> Queue::append(LaneId lane, NewRecord record, Checkpoint checkpoint) {
  return impl_->append(lane, std::move(record), std::move(checkpoint));
}
awaitable<Result<Batch>> Queue::read(CursorId cursor, std::uint64_t max_bytes) {
  return impl_->read(cursor, max_bytes);
}
bool Queue::ack(CursorId cursor, Ack ack) { return impl_->ack(cursor, std::move(ack)); }
awaitable<Result<>> Queue::mark_overtaken(CursorId cursor, Seq before) {
  return impl_->mark_overtaken(cursor, before);
}
awaitable<void> Queue::wait_readable(CursorId cursor, Time deadline) {
  return impl_->wait_readable(cursor, deadline);
}
void Queue::interrupt(CursorId cursor) { impl_->interrupt(cursor); }
Result<> Queue::drop_cursor(LaneId lane, std::string_view name) { return impl_->drop_cursor(lane, name); }
Result<> Queue::drop_lane(LaneId lane) { return impl_->drop_lane(lane); }
std::optional<std::string> Queue::checkpoint(std::string_view key) const { return impl_->checkpoint(key); }
std::vector<Checkpoint> Queue::checkpoints(std::string_view prefix) const {
  return impl_->checkpoints(prefix);
}
awaitable<Result<>> Queue::put_checkpoint(Checkpoint checkpoint) {
  return impl_->put_checkpoint(std::move(checkpoint));
}
awaitable<Result<>> Queue::flush() { return impl_->flush(); }
awaitable<void> Queue::stop() { return impl_->stop(); }
std::optional<Refusal> Queue::refusal(LaneId lane, std::uint64_t bytes) const {
  return impl_->refusal(lane, bytes);
}
std::optional<Error> Queue::fault() const { return impl_->fault(); }
LaneUsage Queue::usage(LaneId lane) const { return impl_->usage(lane); }
std::vector<CursorUsage> Queue::cursors(LaneId lane) const { return impl_->cursors(lane); }
StoreUsage Queue::store_usage() const { return impl_->store_usage(); }

}  // namespace tideover::wal
