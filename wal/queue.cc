#include "wal/queue.h"

#include <utility>

#include "wal/admission.h"
#include "wal/adoption.h"
#include "wal/backlog_reader.h"
#include "wal/base/await_callback.h"
#include "wal/committer.h"
#include "wal/disk_watch.h"
#include "wal/lane_table.h"
#include "wal/producer_notes.h"
#include "wal/signal.h"
#include "wal/tracked_worker.h"
#include "wal/trimmer.h"
#include "wal/upkeep.h"

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
        committer_(store, writer_, clock, limits_, metrics,
                   {[this](const Lane& lane) { return value_of(table_.at(lane.id())); },
                    [this] { upkeep_.settled(); },
                    [this](const std::string& key, const std::string& value) { notes_.put(key, value); },
                    [this](StoreImage image) { reopened(image); }}),
        backlog_(store, reader_, clock, limits_),
        trimmer_(store, reader_, committer_, metrics),
        disk_(store, writer_, clock, limits_, metrics,
              [this] {
                if (!stopping_) upkeep_.look_around();
              }),
        admission_(table_, committer_, disk_, limits_),
        upkeep_(store, writer_, table_, trimmer_, disk_, limits_) {
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
    notes_.take(image);
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

  awaitable<Result<>> append(LaneId lane_id, NewRecord record, std::vector<Checkpoint> checkpoints) {
    OpenLane& open = table_.at(lane_id);
    if (auto refused = refusal(open, record.bytes.size()))
      co_return fail(refused->code, std::move(refused->sentence));
    auto start = [&, this](std::function<void(Result<>)> done) {
      committer_.append(open.lane, std::move(record), std::move(checkpoints), std::move(done));
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

  const ProducerNotes& notes() const { return notes_; }

  awaitable<Result<>> put_checkpoints(std::vector<Checkpoint> checkpoints) {
    auto start = [&, this](std::function<void(Result<>)> done) {
      committer_.note(std::move(checkpoints), std::move(done));
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
    return admission_.refusal(open, bytes);
  }
  std::optional<Refusal> refusal(LaneId lane, std::uint64_t bytes) { return refusal(table_.at(lane), bytes); }

  const std::optional<Error>& fault() const { return committer_.fault(); }

  LaneUsage usage(LaneId lane) { return admission_.usage(table_.at(lane)); }
  std::vector<CursorUsage> cursors(LaneId lane) { return usage_of_cursors(table_.at(lane)); }
  StoreUsage store_usage() const { return disk_.usage(); }

 private:
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
    if (std::vector<Checkpoint> missing = notes_.missing_in(image); !missing.empty())
      committer_.note(std::move(missing), [](const Result<>&) {});
    upkeep_.settled();
  }

  Store& store_;
  TrackedWorker writer_;
  TrackedWorker reader_;
  const WalLimits limits_;
  WalMetrics& metrics_;
  std::vector<std::unique_ptr<Signal>> signals_;  // before the lanes, which refer to them
  LaneTable table_;
  ProducerNotes notes_;
  Committer committer_;
  BacklogReader backlog_;
  Trimmer trimmer_;
  DiskWatch disk_;
  const Admission admission_;
  Upkeep upkeep_;
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
  return impl_->append(lane, std::move(record), {});
}
awaitable<Result<>> Queue::append(LaneId lane, NewRecord record, std::vector<Checkpoint> checkpoints) {
  return impl_->append(lane, std::move(record), std::move(checkpoints));
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
std::optional<std::string> Queue::checkpoint(std::string_view key) const { return impl_->notes().find(key); }
std::vector<Checkpoint> Queue::checkpoints(std::string_view prefix) const {
  return impl_->notes().all(prefix);
}
awaitable<Result<>> Queue::put_checkpoint(Checkpoint checkpoint) {
  std::vector<Checkpoint> one;
  one.push_back(std::move(checkpoint));
  return impl_->put_checkpoints(std::move(one));
}
awaitable<Result<>> Queue::put_checkpoints(std::vector<Checkpoint> checkpoints) {
  return impl_->put_checkpoints(std::move(checkpoints));
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
