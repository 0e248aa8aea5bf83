#include "wal/queue.h"

#include <algorithm>
#include <map>
#include <utility>

#include "wal/base/await_callback.h"
#include "wal/base/invariant.h"
#include "wal/base/notifier.h"
#include "wal/committer.h"
#include "wal/cursor.h"
#include "wal/lane.h"
#include "wal/retention.h"
#include "wal/wal_format.h"

namespace tideover::wal {
namespace {

struct OpenCursor {
  OpenCursor(Clock& clock, Lane& lane_of, std::string name, const CursorState& state)
      : lane(lane_of), cursor(std::move(name), state), readable(clock) {}

  Lane& lane;
  Cursor cursor;
  Keep keep = Keep::best_effort;  // until the config names it
  bool trimming = false;          // a batch of its oldest is being read to be dropped
  bool held_up = false;           // its sender waits for a drop to become durable
  Seq trimmed_to;                 // everything before was dropped, or settled, when it was trimmed last
  bool dropped = false;
  std::int64_t oldest_ms = 0;  // arrival of the first record of the last read
  Notifier readable;
};

struct OpenLane {
  explicit OpenLane(std::string name, const LaneState& state) : lane(std::move(name), state) {}

  Lane lane;
  LaneOptions options;
  std::vector<OpenCursor*> cursors;
  std::vector<OpenCursor*> leaving;  // given up, and a crash would still find them
  Seq released{1};                   // what the store was told last
};

// Diverted records wait in memory while the disk is full: beyond this no more is read, so no more is
// diverted.
constexpr std::uint64_t kDivertBytesMax = 8 << 20;
// Best-effort data is dropped in runs of this size.
constexpr std::uint64_t kTrimBytes = 256 << 10;

}  // namespace

class Queue::Impl {
 public:
  Impl(Store& store, Worker& writer, Worker& reader, Clock& clock, const WalLimits& limits,
       WalMetrics& metrics)
      : store_(store),
        writer_(writer),
        reader_(reader),
        clock_(clock),
        limits_(limits),
        metrics_(metrics),
        committer_(store, writer, clock, limits_, metrics,
                   {[this] { settled(); }, [this](StoreImage image) { reopened(std::move(image)); }}) {}

  ~Impl() {
    if (usage_timer_ != 0) clock_.cancel(usage_timer_);
  }

  awaitable<Result<>> open() {
    auto start = [this](std::function<void(Result<StoreImage>)> done) {
      auto image = std::make_shared<Result<StoreImage>>(fail(Errc::unavailable, "not opened yet"));
      writer_.submit(
          [this, image] {
            *image = store_.open();
            usage_ = store_.usage();
          },
          [image, done = std::move(done)] { done(std::move(*image)); });
    };
    Result<StoreImage> image = co_await await_callback<Result<StoreImage>>(std::move(start));
    if (!image) co_return image.error();
    load(*image);
    watch_usage();
    co_return boost::system::in_place_value;
  }

  LaneId open_lane(std::string_view name, const LaneOptions& options) {
    OpenLane& open = lane(std::string(name));
    open.options = options;
    return open.lane.id();
  }

  CursorId open_cursor(LaneId lane_id, std::string_view name, Keep keep, StartAt start) {
    OpenLane& open = at(lane_id);
    for (std::size_t i = 0; i < cursors_.size(); ++i) {
      if (&cursors_[i]->lane != &open.lane || cursors_[i]->cursor.name() != name || cursors_[i]->dropped)
        continue;
      cursors_[i]->keep = keep;
      return CursorId{static_cast<std::uint32_t>(i)};
    }
    CursorState state;
    if (!image_damaged_) state = begin(open, start);
    const CursorId id = add_cursor(open, std::string(name), state, keep);
    committer_.moved(open.lane, cursors_[id.value]->cursor);
    return id;
  }

  awaitable<Result<>> append(LaneId lane_id, NewRecord record, Checkpoint checkpoint) {
    OpenLane& open = at(lane_id);
    if (auto refused = refusal(open, record.bytes.size()))
      co_return fail(refused->code, std::move(refused->sentence));
    auto start = [&, this](std::function<void(Result<>)> done) {
      committer_.append(open.lane, std::move(record), std::move(checkpoint), std::move(done));
    };
    co_return co_await await_callback<Result<>>(std::move(start));
  }

  awaitable<Result<Batch>> read(CursorId id, std::uint64_t max_bytes) {
    OpenCursor& open = *cursors_.at(id.value);
    Seq start = open.cursor.state().next;
    Seq from = start;
    while (
        true) {  // usually once; on after damage, until something readable or the tail says how much it held
      if (stopping_) co_return fail(Errc::stopping, "the agent is shutting down");
      if (open.dropped) co_return fail(Errc::not_found, "the cursor was dropped by an operator");
      if (committer_.divert_bytes() > kDivertBytesMax)
        co_return fail(Errc::unavailable,
                       "records set aside wait for the disk: no more is read until they are safe");
      // A crash would bring back what was dropped, and nobody could tell a refusal for its order, behind what
      // was sent since, from that of a repetition.
      if (open.cursor.durable_next() < open.trimmed_to) {
        const bool durable = co_await drop_is_durable(open);
        if (!durable)
          co_return fail(Errc::unavailable, "no more is read until what was dropped is dropped for good");
        continue;
      }
      if (start != open.cursor.state().next) start = from = open.cursor.state().next;  // trimmed meanwhile
      const LaneState tail = open.lane.durable();
      if (tail.tail < from) co_return Batch{from, from, {}, 0, 0};
      std::vector<StoredRecord> records = open.lane.fresh(from, max_bytes);
      Seq end = records.empty() ? from : next(records.back().seq);
      if (records.empty()) {
        const ReadRequest request{open.lane.id(), from, next(tail.tail), max_bytes};
        Result<ReadRange> range = co_await read_store(request);
        if (!range) co_return range.error();
        if (open.dropped || start != open.cursor.state().next) continue;
        invariant(from < range->next, "a read makes progress");
        records = std::move(range->records);
        end = range->next;
      }
      from = end;
      if (!records.empty()) open.oldest_ms = records.front().attributes.arrival_ms;
      std::optional<Batch> batch = open.cursor.lay_out(std::move(records), end, tail);
      if (batch) co_return std::move(*batch);
    }
  }

  bool ack(CursorId id, Ack ack) {
    OpenCursor& open = *cursors_.at(id.value);
    if (open.dropped) return false;
    std::uint64_t diverted = 0;
    for (const Ack::Divert& divert : ack.diverts)
      if (divert.settles) diverted += divert.record.attributes.units;
    const auto damaged = open.cursor.apply(ack, diverted);
    if (!damaged) return false;
    metrics_.damaged_records += *damaged;
    for (Ack::Divert& divert : ack.diverts) committer_.divert(at(divert.to).lane, std::move(divert.record));
    committer_.moved(open.lane, open.cursor);
    open.lane.forget_before(oldest_needed(at(open.lane.id())));
    return true;
  }

  awaitable<Result<>> mark_overtaken(CursorId id, Seq before) {
    OpenCursor& open = *cursors_.at(id.value);
    if (open.dropped) co_return fail(Errc::not_found, "the cursor was dropped by an operator");
    open.cursor.mark_overtaken(before);
    committer_.moved(open.lane, open.cursor);
    co_return co_await flush();
  }

  awaitable<void> wait_readable(CursorId id, Time deadline) {
    OpenCursor& open = *cursors_.at(id.value);
    if (!stopping_ && open.lane.durable().tail < open.cursor.state().next)
      co_await open.readable.wait_until(deadline);
  }

  void interrupt(CursorId id) { cursors_.at(id.value)->readable.notify(); }

  Result<> drop_cursor(LaneId lane_id, std::string_view name) {
    OpenLane& open = at(lane_id);
    for (OpenCursor* c : open.cursors) {
      if (c->cursor.name() != name) continue;
      c->cursor.give_up(open.lane.durable());
      c->dropped = true;
      std::erase(open.cursors, c);
      open.leaving.push_back(c);
      committer_.forget(open.lane, c->cursor);
      return boost::system::in_place_value;
    }
    return fail(Errc::not_found, "no cursor of that name");
  }

  awaitable<Result<>> flush() {
    auto start = [this](std::function<void(Result<>)> done) { committer_.flush(std::move(done)); };
    co_return co_await await_callback<Result<>>(std::move(start));
  }

  awaitable<void> stop() {
    if (stopping_) co_return;
    stopping_ = true;
    for (auto& open : cursors_) open->readable.notify();
    // What waits is committed first; the store may be in a fault, then it cannot be, and nothing was
    // promised.
    co_await flush();
    committer_.stop();
    if (usage_timer_ != 0) clock_.cancel(std::exchange(usage_timer_, 0));
    // The workers run their jobs in order: once these are done none of ours is left.
    auto drain = [this](std::function<void(bool)> done) {
      reader_.submit([] {},
                     [this, done = std::move(done)] { writer_.submit([] {}, [done] { done(true); }); });
    };
    co_await await_callback<bool>(std::move(drain));
  }

  std::optional<Refusal> refusal(const OpenLane& open, std::uint64_t bytes) const {
    if (stopping_) return Refusal{Errc::stopping, "the agent is shutting down"};
    if (committer_.fault()) return Refusal{committer_.fault()->code, committer_.fault()->detail};
    LaneFill fill;
    fill.waiting_bytes = committer_.waiting_bytes();
    fill.max_bytes = open.options.max_bytes;
    fill.refuse_at_floor = open.options.refuse_at_floor;
    for (const OpenCursor* c : open.cursors) {
      if (c->keep != Keep::required) continue;
      const std::uint64_t behind = open.lane.sealed().totals.bytes - c->cursor.state().settled.bytes;
      fill.needed_bytes = std::max(fill.needed_bytes, behind + fill.waiting_bytes);
    }
    return refuse(fill, disk_fill(), bytes, limits_);
  }

  std::optional<Refusal> refusal(LaneId lane, std::uint64_t bytes) const { return refusal(at(lane), bytes); }

  LaneUsage usage(LaneId lane_id) const {
    const OpenLane& open = at(lane_id);
    LaneUsage usage;
    usage.accepted = open.lane.durable().totals;
    usage.held_bytes = held_bytes(open);
    usage.max_bytes = open.options.max_bytes;
    usage.pending_units = committer_.pending_units(open.lane);
    return usage;
  }

  std::vector<CursorUsage> cursors(LaneId lane_id) const {
    std::vector<CursorUsage> result;
    const OpenLane& open = at(lane_id);
    for (const OpenCursor* c : open.cursors) {
      const CursorState& state = c->cursor.state();
      const Totals& tail = open.lane.durable().totals;
      const bool behind = state.next <= open.lane.durable().tail;
      result.push_back({c->cursor.name(), state.next, state.overtaken_before, tail - state.settled,
                        tail - state.origin, state.ledger, c->keep, behind ? c->oldest_ms : 0});
    }
    return result;
  }

  StoreUsage store_usage() const { return usage_; }

 private:
  OpenLane& at(LaneId id) {
    const auto it = lanes_.find(id);
    invariant(it != lanes_.end(), "a lane is opened before it is used");
    return *it->second;
  }
  const OpenLane& at(LaneId id) const { return const_cast<Impl*>(this)->at(id); }

  OpenLane& lane(std::string name, const LaneState& state = {}) {
    const LaneId id = lane_id(name);
    auto& slot = lanes_[id];
    if (!slot) slot = std::make_unique<OpenLane>(std::move(name), state);
    invariant(lane_id(slot->lane.name()) == id, "lane names do not collide");
    return *slot;
  }

  // `oldest`: what lies before the cursor that is furthest behind is given back, or may be at any moment; to
  // begin there would be to count it as damaged. Without a cursor all of the lane was given up.
  static CursorState begin(const OpenLane& open, StartAt start) {
    const LaneState& tail = open.lane.durable();
    CursorState state = beginning_at(next(tail.tail), tail.totals);
    if (start == StartAt::now) return state;
    for (const OpenCursor* c : open.cursors) {
      const CursorState& other = c->cursor.state();
      if (other.next < state.next) state = beginning_at(other.next, other.settled);
    }
    return state;
  }

  CursorId add_cursor(OpenLane& open, std::string name, const CursorState& state, Keep keep) {
    cursors_.push_back(std::make_unique<OpenCursor>(clock_, open.lane, std::move(name), state));
    cursors_.back()->keep = keep;
    open.cursors.push_back(cursors_.back().get());
    return CursorId{static_cast<std::uint32_t>(cursors_.size() - 1)};
  }

  void load(const StoreImage& image) {
    image_damaged_ = image.meta_damaged;
    for (const auto& [key, value] : image.meta) {
      if (const auto name = parse_lane_key(key)) lane(*name, decode_lane(value).value_or(LaneState{}));
      if (key == kCommitKey) committer_.start_from(std::strtoull(value.c_str(), nullptr, 10));
    }
    for (const auto& [key, value] : image.meta) {
      const auto name = parse_cursor_key(key);
      if (!name) continue;
      add_cursor(lane(name->lane), name->cursor, decode_cursor(value).value_or(CursorState{}),
                 Keep::best_effort);
    }
    settle_tails(image);
  }

  // A tail is the furthest of what the lane's own state, its last record and its cursors know: damage may
  // have taken any of them, and numbers behind a cursor must not be given a second time.
  void settle_tails(const StoreImage& image) {
    metrics_.damaged_records += image.damaged_at_tail;
    for (auto& [id, open] : lanes_) {
      LaneState tail;
      const auto consider = [&tail](Seq seq, const Totals& totals) {
        if (tail.tail < seq) tail = {seq, totals};
      };
      if (const auto it = image.meta.find(lane_key(open->lane.name())); it != image.meta.end()) {
        const LaneState state = decode_lane(it->second).value_or(LaneState{});
        consider(state.tail, state.totals);
      }
      if (const auto it = image.tails.find(id); it != image.tails.end())
        consider(it->second.seq, it->second.through);
      for (const OpenCursor* c : open->cursors)
        consider(Seq{c->cursor.state().next.value - 1}, c->cursor.state().settled);
      open->lane.adopt(tail);
    }
  }

  void reopened(StoreImage image) {
    settle_tails(image);
    settled();
  }

  void settled() {
    for (auto& [id, open] : lanes_) {
      for (OpenCursor* c : open->cursors)
        if (c->held_up || c->cursor.state().next <= open->lane.durable().tail) c->readable.notify();
      open->lane.forget_before(oldest_needed(*open));
      release(*open);
      trim(*open);
    }
  }

  Seq oldest_needed(const OpenLane& open) const {
    Seq oldest = next(open.lane.durable().tail);
    for (const OpenCursor* c : open.cursors) oldest = std::min(oldest, c->cursor.state().next);
    return oldest;
  }

  std::uint64_t held_bytes(const OpenLane& open) const {
    std::uint64_t held = 0;
    for (const OpenCursor* c : open.cursors)
      held = std::max(held, open.lane.durable().totals.bytes - c->cursor.state().settled.bytes);
    return held;
  }

  // Only behind what the disk says: a cursor that moved since may be found further back after a crash. The
  // last record stays, as a second witness of the lane's tail.
  void release(OpenLane& open) {
    Seq mark = open.lane.durable().tail;
    std::erase_if(open.leaving,
                  [](const OpenCursor* c) { return c->cursor.durable_next() == c->cursor.state().next; });
    for (const auto* cursors : {&open.cursors, &open.leaving})
      for (const OpenCursor* c : *cursors) mark = std::min(mark, c->cursor.durable_next());
    if (mark <= open.released) return;
    open.released = mark;
    writer_.submit([this, id = open.lane.id(), mark] { store_.release(id, mark); }, nullptr);
  }

  // Best-effort cursors beyond the lane's budget lose their oldest, a run at a time.
  void trim(OpenLane& open) {
    if (open.options.max_bytes == 0 || stopping_) return;
    for (OpenCursor* c : open.cursors) {
      const std::uint64_t behind = open.lane.durable().totals.bytes - c->cursor.state().settled.bytes;
      if (c->keep == Keep::best_effort && !c->trimming && !c->held_up && behind > open.options.max_bytes)
        trim_run(open, *c);
    }
  }

  void trim_run(OpenLane& open, OpenCursor& c) {
    c.trimming = true;
    const LaneState tail = open.lane.durable();
    const ReadRequest request{open.lane.id(), c.cursor.state().next, next(tail.tail), kTrimBytes};
    auto range = std::make_shared<Result<ReadRange>>(fail(Errc::unavailable, "not read yet"));
    reader_.submit([this, request, range] { *range = store_.read(request); },
                   [this, &open, &c, request, range, tail] {
                     c.trimming = false;
                     if (!*range || c.dropped || c.cursor.state().next != request.from) return;
                     const auto damaged = c.cursor.trim(std::move((*range)->records), (*range)->next, tail);
                     if (!damaged) return;  // damage without an end in sight: the next group tries again
                     metrics_.damaged_records += *damaged;
                     c.trimmed_to = c.cursor.state().next;
                     committer_.moved(open.lane, c.cursor);
                     trim(open);
                   });
  }

  awaitable<bool> drop_is_durable(OpenCursor& open) {
    const Time patience = clock_.now() + 2 * limits_.ack_delay;
    open.held_up = true;
    while (open.cursor.durable_next() < open.trimmed_to && !stopping_ && clock_.now() < patience)
      co_await open.readable.wait_until(patience);
    open.held_up = false;
    co_return open.cursor.durable_next() >= open.trimmed_to;
  }

  awaitable<Result<ReadRange>> read_store(ReadRequest request) {
    auto start = [this, request](std::function<void(Result<ReadRange>)> done) {
      auto range = std::make_shared<Result<ReadRange>>(fail(Errc::unavailable, "not read yet"));
      reader_.submit([this, request, range] { *range = store_.read(request); },
                     [range, done = std::move(done)] { done(std::move(*range)); });
    };
    co_return co_await await_callback<Result<ReadRange>>(std::move(start));
  }

  DiskFill disk_fill() const {
    const std::uint64_t written = metrics_.appended_bytes - appended_at_usage_;
    return {usage_.free_bytes > written ? usage_.free_bytes - written : 0, usage_.total_bytes};
  }

  // Free space changes without us: other writers, compaction.
  void watch_usage() {
    usage_timer_ = clock_.call_at(clock_.now() + limits_.usage_interval, [this] {
      usage_timer_ = 0;
      auto usage = std::make_shared<StoreUsage>();
      writer_.submit([this, usage] { *usage = store_.usage(); },
                     [this, usage] {
                       usage_ = *usage;
                       appended_at_usage_ = metrics_.appended_bytes;
                       if (!stopping_) watch_usage();
                     });
    });
  }

  Store& store_;
  Worker& writer_;
  Worker& reader_;
  Clock& clock_;
  const WalLimits limits_;
  WalMetrics& metrics_;
  Committer committer_;
  std::map<LaneId, std::unique_ptr<OpenLane>> lanes_;
  std::vector<std::unique_ptr<OpenCursor>> cursors_;
  StoreUsage usage_;
  std::uint64_t appended_at_usage_ = 0;
  Clock::TimerId usage_timer_ = 0;
  bool image_damaged_ = false;
  bool stopping_ = false;
};

Queue::Queue(Store& store, Worker& writer, Worker& reader, Clock& clock, const WalLimits& limits,
             WalMetrics& metrics)
    : impl_(std::make_unique<Impl>(store, writer, reader, clock, limits, metrics)) {}
Queue::~Queue() = default;

awaitable<Result<>> Queue::open() { return impl_->open(); }
LaneId Queue::open_lane(std::string_view name, const LaneOptions& options) {
  return impl_->open_lane(name, options);
}
CursorId Queue::open_cursor(LaneId lane, std::string_view name, Keep keep, StartAt start) {
  return impl_->open_cursor(lane, name, keep, start);
}
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
awaitable<Result<>> Queue::flush() { return impl_->flush(); }
awaitable<void> Queue::stop() { return impl_->stop(); }
std::optional<Refusal> Queue::refusal(LaneId lane, std::uint64_t bytes) const {
  return impl_->refusal(lane, bytes);
}
LaneUsage Queue::usage(LaneId lane) const { return impl_->usage(lane); }
std::vector<CursorUsage> Queue::cursors(LaneId lane) const { return impl_->cursors(lane); }
StoreUsage Queue::store_usage() const { return impl_->store_usage(); }

}  // namespace tideover::wal
