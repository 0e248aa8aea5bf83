#include "wal/committer.h"

#include <utility>

#include "wal/base/invariant.h"
#include "wal/wal_format.h"

namespace tideover::wal {

Committer::Committer(Store& store, Worker& writer, Clock& clock, const WalLimits& limits, WalMetrics& metrics,
                     Hooks hooks)
    : store_(store),
      writer_(writer),
      clock_(clock),
      limits_(limits),
      metrics_(metrics),
      hooks_(std::move(hooks)) {}

Committer::~Committer() {
  if (timer_) clock_.cancel(*timer_);
}

void Committer::append(Lane& lane, NewRecord record, Checkpoint checkpoint, Done done) {
  waiting_bytes_ += record.bytes.size();
  waiting_.push_back({&lane, std::move(record), std::move(checkpoint), std::move(done), clock_.now()});
  pump(true);
}

void Committer::divert(Lane& lane, NewRecord record) {
  divert_bytes_ += record.bytes.size();
  pending_[&lane] += record.attributes.units;
  diverts_.push_back({&lane, std::move(record)});
}

void Committer::moved(const Lane& lane, Cursor& cursor) {
  moved_[cursor_key(lane.name(), cursor.name())] = {&cursor, false};
  pump(false);
}

void Committer::forget(const Lane& lane, Cursor& cursor) {
  moved_[cursor_key(lane.name(), cursor.name())] = {&cursor, true};
  pump(false);
}

void Committer::flush(Done done) {
  if (fault_) return done(*fault_);
  waiting_.push_back({nullptr, {}, {}, std::move(done), clock_.now()});
  pump(true);
}

void Committer::stop() {
  stopping_ = true;
  if (timer_) clock_.cancel(*std::exchange(timer_, std::nullopt));
  for (Waiting& w : std::exchange(waiting_, {})) w.done(fail(Errc::stopping, "the agent is shutting down"));
  waiting_bytes_ = 0;
}

// `force`: somebody waits. Otherwise only cursors moved, and they ride with the next group or wait for the
// timer.
void Committer::pump(bool force) {
  if (busy_ || fault_ || stopping_) return;
  if (waiting_.empty() && diverts_.empty() && moved_.empty()) return;
  if (force || !waiting_.empty())
    submit(form());
  else
    arm();
}

void Committer::arm() {
  if (timer_) return;
  timer_ = clock_.call_at(clock_.now() + limits_.ack_delay, [this] {
    timer_.reset();
    pump(true);
  });
}

// Every diverted record goes into the group that carries its cursor's move, since one without the other would
// be a loss (moved, not kept) or a repetition (kept, not moved).
Committer::Group Committer::form() {
  Group group;
  group.number = ++number_;
  for (Divert& d : std::exchange(diverts_, {})) {
    add(group, *d.lane, std::move(d.record));
    group.diverted.emplace_back(d.lane, d.lane->sealed().tail);
  }
  divert_bytes_ = 0;
  std::uint64_t bytes = 0;
  while (!waiting_.empty() && bytes < limits_.group_bytes) {
    Waiting w = std::move(waiting_.front());
    waiting_.pop_front();
    if (w.lane != nullptr) {
      bytes += w.record.bytes.size();
      waiting_bytes_ -= w.record.bytes.size();
      add(group, *w.lane, std::move(w.record));
      if (!w.checkpoint.key.empty())
        group.batch.meta.emplace_back(std::string(kCheckpointPrefix) + w.checkpoint.key,
                                      std::move(w.checkpoint.value));
    }
    group.waiters.push_back(std::move(w));
  }
  for (const auto& [lane, records] : group.sealed)
    group.batch.meta.emplace_back(lane_key(lane->name()), encode(lane->sealed()));
  for (const auto& [key, move] : std::exchange(moved_, {})) {
    group.batch.meta.emplace_back(key, move.removed ? std::string() : encode(move.cursor->state()));
    group.moved[key] = {move.cursor, move.cursor->state().next, move.removed};
  }
  group.batch.meta.emplace_back(std::string(kCommitKey), std::to_string(group.number));
  return group;
}

void Committer::add(Group& group, Lane& lane, NewRecord record) {
  StoredRecord sealed = lane.seal(std::move(record));
  group.batch.records.push_back({lane.id(), sealed.seq, sealed.bytes});
  group.sealed[&lane].push_back(std::move(sealed));
}

void Committer::submit(Group formed) {
  busy_ = true;
  struct Outcome {
    Result<> result;
    Time started;
    Time ended;
  };
  auto group = std::make_shared<Group>(std::move(formed));
  auto outcome = std::make_shared<Outcome>();
  outcome->started = clock_.now();
  writer_.submit([this, group, outcome] { outcome->result = store_.commit(group->batch); },
                 [this, group, outcome] {
                   committed(group, std::move(outcome->result), clock_.now() - outcome->started);
                 });
}

void Committer::committed(std::shared_ptr<Group> group, Result<> result, Duration took) {
  busy_ = false;
  if (!result) return failed(std::move(group), result.error());
  ++metrics_.commits;
  metrics_.commit_seconds.observe(took);
  settle_diverted(*group);
  for (auto& [lane, records] : group->sealed) {
    metrics_.appended_records += records.size();
    for (const StoredRecord& record : records) metrics_.appended_bytes += record.bytes->size();
    lane->settle(std::move(records), limits_.tail_bytes);
  }
  for (const auto& [key, place] : group->moved) place.cursor->made_durable(place.next);
  const Time now = clock_.now();
  for (Waiting& w : group->waiters) {
    metrics_.append_seconds.observe(now - w.since);
    w.done(boost::system::in_place_value);
  }
  // The next group first: what follows it to the write worker then finds that awake.
  pump(false);
  hooks_.settled();
}

// The waiters are told "no" although the group may have reached the disk: they will repeat it, and a
// duplicate is harmless where a loss is not. Acknowledgements are ours to repeat: they wait until the image
// tells.
void Committer::failed(std::shared_ptr<Group> group, const Error& error) {
  ++metrics_.commit_failures;
  fault_ = error;
  for (auto& [lane, records] : group->sealed) lane->unseal();
  for (Waiting& w : group->waiters) w.done(error);
  group->waiters.clear();
  unsure_ = std::move(group);
  for (Waiting& w : std::exchange(waiting_, {})) w.done(error);
  waiting_bytes_ = 0;
  reopen_later();
}

// Diverted records were sealed first, so they lead their lane's records of the group.
void Committer::settle_diverted(const Group& group) {
  for (const auto& [lane, seq] : group.diverted)
    for (const StoredRecord& record : group.sealed.at(lane))
      if (record.seq == seq) pending_[lane] -= record.attributes.units;
}

std::uint64_t Committer::pending_units(const Lane& lane) const {
  const auto it = pending_.find(&lane);
  return it == pending_.end() ? 0 : it->second;
}

void Committer::reopen_later() {
  if (stopping_) return;
  if (timer_) clock_.cancel(*timer_);
  timer_ = clock_.call_at(clock_.now() + limits_.reopen_delay, [this] {
    timer_.reset();
    reopen();
  });
}

void Committer::reopen() {
  busy_ = true;
  auto image = std::make_shared<Result<StoreImage>>(fail(Errc::unavailable, "not opened yet"));
  writer_.submit([this, image] { *image = store_.open(); },
                 [this, image] {
                   busy_ = false;
                   if (*image) return adopt(std::move(**image));
                   fault_ = image->error();
                   reopen_later();
                 });
}

void Committer::adopt(StoreImage image) {
  ++metrics_.reopens;
  const auto found = image.meta.find(std::string(kCommitKey));
  const bool applied = found != image.meta.end() && found->second == std::to_string(unsure_->number);
  if (!applied) {
    // Nothing of the group counts. Its diverted records go in front of those that came since, in their old
    // order.
    std::deque<Divert> again;
    for (const auto& [lane, seq] : unsure_->diverted) {
      for (const StoredRecord& record : unsure_->sealed[lane]) {
        if (record.seq != seq) continue;
        divert_bytes_ += record.bytes->size();
        again.push_back({lane, {std::string(*record.bytes), record.attributes}});
      }
    }
    diverts_.insert(diverts_.begin(), std::make_move_iterator(again.begin()),
                    std::make_move_iterator(again.end()));
    // A cursor that moved again since is there already.
    for (const auto& [key, place] : unsure_->moved) moved_.emplace(key, Move{place.cursor, place.removed});
  } else {
    settle_diverted(*unsure_);
    for (const auto& [key, place] : unsure_->moved) place.cursor->made_durable(place.next);
  }
  unsure_.reset();
  fault_.reset();
  hooks_.reopened(std::move(image));
  pump(false);
}

}  // namespace tideover::wal
