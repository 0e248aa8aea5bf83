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
  waiting_.push({&lane, std::move(record), std::move(checkpoint), std::move(done), clock_.now()});
  pump(true);
}

void Committer::note(Checkpoint checkpoint, Done done) {
  if (fault_) return done(*fault_);
  if (stopping_) return done(fail(Errc::stopping, "the agent is shutting down"));
  waiting_.push({nullptr, {}, std::move(checkpoint), std::move(done), clock_.now()});
  pump(true);
}

void Committer::divert(Lane& lane, NewRecord record) {
  lane.signal().divert_bytes += record.bytes.size();
  pending_[&lane] += record.attributes.units;
  diverts_.push_back({&lane, std::move(record)});
}

void Committer::born(Lane& lane) {
  born_lanes_.insert(&lane);
  pump(false);
}

void Committer::born(Lane& lane, Cursor& cursor) {
  born_[cursor_key(lane.name(), cursor.name())] = {&cursor, false};
  born(lane);
}

void Committer::changed(Lane& lane) {
  changed_.insert(&lane);
  pump(false);
}

void Committer::moved(const Lane& lane, Cursor& cursor) {
  moved_[cursor_key(lane.name(), cursor.name())] = {&cursor, false};
  pump(false);
}

void Committer::forget(Lane& lane, Cursor& cursor) {
  const std::string key = cursor_key(lane.name(), cursor.name());
  born_.erase(key);
  moved_[key] = {&cursor, true};
  changed(lane);
}

void Committer::flush(Done done) { note({}, std::move(done)); }

void Committer::stop() {
  stopping_ = true;
  if (timer_) clock_.cancel(*std::exchange(timer_, std::nullopt));
  for (Waiting& w : waiting_.take_all()) w.done(fail(Errc::stopping, "the agent is shutting down"));
}

// `force`: somebody waits. Otherwise only cursors moved, and they ride with the next group or wait for the
// timer. What is born waits for those that are born with it, and for nobody else.
void Committer::pump(bool force) {
  if (busy_ || fault_ || stopping_) return;
  const bool nothing = diverts_.empty() && moved_.empty() && changed_.empty() && born_lanes_.empty();
  if (nothing && waiting_.empty()) return;
  if (force || !waiting_.empty())
    submit(born_lanes_.empty() ? form() : form_births());
  else if (!born_lanes_.empty())
    arm(Duration{});
  else
    arm(limits_.ack_delay);
}

void Committer::arm(Duration delay) {
  const Time when = clock_.now() + delay;
  if (timer_ && timer_at_ <= when) return;
  if (timer_) clock_.cancel(*timer_);
  timer_at_ = when;
  timer_ = clock_.call_at(when, [this] {
    timer_.reset();
    pump(true);
  });
}

// A cursor that never moves again would stand in the log record of this group alone: were it that of the
// first records too, one damaged byte would take the place from which all later ones are owed. Crash between
// the births and the first record: lanes and cursors without a record, as they were born. Crash before the
// births: no append was answered, nothing is owed.
Committer::Group Committer::form_births() {
  Group group;
  group.number = ++number_;
  group.births = true;
  group.batch.anchor = true;
  group.changed = std::exchange(born_lanes_, {});
  for (Lane* lane : group.changed)
    group.batch.meta.emplace_back(lane_key(lane->name()), encode(hooks_.value_of(*lane)));
  for (const auto& [key, move] : born_) moved_.erase(key);  // its present state is that of its birth
  add(group, std::exchange(born_, {}));
  group.batch.meta.emplace_back(std::string(kCommitKey), std::to_string(group.number));
  return group;
}

// Every diverted record goes into the group that carries its cursor's move, since one without the other would
// be a loss (moved, not kept) or a repetition (kept, not moved).
Committer::Group Committer::form() {
  Group group;
  group.number = ++number_;
  for (Divert& d : std::exchange(diverts_, {})) {
    d.lane->signal().divert_bytes -= d.record.bytes.size();
    add(group, *d.lane, std::move(d.record));
    group.diverted.emplace_back(d.lane, d.lane->sealed().tail);
  }
  for (Waiting& w : waiting_.take(limits_.group_bytes)) {
    if (w.lane != nullptr) add(group, *w.lane, std::move(w.record));
    if (!w.checkpoint.key.empty()) add(group, std::move(w.checkpoint));
    group.waiters.push_back(std::move(w));
  }
  group.changed = std::exchange(changed_, {});
  std::set<Lane*> lanes = group.changed;
  for (const auto& [lane, records] : group.sealed) lanes.insert(lane);
  for (Lane* lane : lanes)
    group.batch.meta.emplace_back(lane_key(lane->name()), encode(hooks_.value_of(*lane)));
  add(group, std::exchange(moved_, {}));
  group.batch.meta.emplace_back(std::string(kCommitKey), std::to_string(group.number));
  return group;
}

void Committer::add(Group& group, Lane& lane, NewRecord record) {
  StoredRecord sealed = lane.seal(std::move(record));
  group.batch.records.push_back({lane.id(), sealed.seq, sealed.bytes});
  group.sealed[&lane].push_back(std::move(sealed));
}

void Committer::add(Group& group, Checkpoint note) {
  group.batch.meta.emplace_back(std::string(kCheckpointPrefix) + note.key, note.value);
  group.notes.push_back(std::move(note));
}

void Committer::add(Group& group, Moves moves) {
  for (const auto& [key, move] : moves) {
    group.batch.meta.emplace_back(key, move.removed ? std::string() : encode(move.cursor->state()));
    group.moved[key] = {move, move.cursor->state().next};
  }
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
    lane->settle(std::move(records));
  }
  settle_meta(*group);
  const Time now = clock_.now();
  for (Waiting& w : group->waiters) {
    metrics_.append_seconds.observe(now - w.since);
    w.done(boost::system::in_place_value);
  }
  // The next group first: what follows it to the write worker then finds that awake.
  pump(false);
  if (!stopping_) hooks_.settled();
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
  for (Waiting& w : waiting_.take_all()) w.done(error);
  reopen_later();
}

// Diverted records were sealed first, so they lead their lane's records of the group.
void Committer::settle_diverted(const Group& group) {
  for (const auto& [lane, seq] : group.diverted)
    for (const StoredRecord& record : group.sealed.at(lane))
      if (record.seq == seq) pending_[lane] -= record.attributes.units;
}

void Committer::settle_meta(const Group& group) {
  for (const auto& [key, place] : group.moved) place.move.cursor->made_durable(place.next);
  for (const Checkpoint& note : group.notes) hooks_.noted(note.key, note.value);
}

// Nothing of the group counts. Its diverted records go in front of those that came since, in their old order.
void Committer::take_back(Group& group) {
  std::deque<Divert> again;
  for (const auto& [lane, seq] : group.diverted) {
    for (const StoredRecord& record : group.sealed[lane]) {
      if (record.seq != seq) continue;
      lane->signal().divert_bytes += record.bytes->size();
      again.push_back({lane, {std::string(*record.bytes), record.attributes}});
    }
  }
  diverts_.insert(diverts_.begin(), std::make_move_iterator(again.begin()),
                  std::make_move_iterator(again.end()));
  // A cursor that moved again since, or was given up, is there already.
  for (const auto& [key, place] : group.moved)
    if (!group.births)
      moved_.emplace(key, place.move);
    else if (!moved_.contains(key) || !moved_.at(key).removed)
      born_.emplace(key, place.move);
  (group.births ? born_lanes_ : changed_).insert(group.changed.begin(), group.changed.end());
}

std::uint64_t Committer::pending_units(const Lane& lane) const {
  const auto it = pending_.find(&lane);
  return it == pending_.end() ? 0 : it->second;
}

void Committer::reopen_later() {
  if (stopping_) return;
  if (timer_) clock_.cancel(*timer_);
  timer_at_ = clock_.now() + limits_.reopen_delay;
  timer_ = clock_.call_at(timer_at_, [this] {
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
                   if (stopping_) return;  // nothing follows: the owner waits for this job alone
                   if (*image) return adopt(std::move(**image));
                   fault_ = image->error();
                   reopen_later();
                 });
}

void Committer::adopt(StoreImage image) {
  ++metrics_.reopens;
  const auto found = image.meta.find(std::string(kCommitKey));
  const bool applied = found != image.meta.end() && found->second == std::to_string(unsure_->number);
  if (applied) {
    settle_diverted(*unsure_);
    settle_meta(*unsure_);
  } else {
    take_back(*unsure_);
  }
  unsure_.reset();
  fault_.reset();
  hooks_.reopened(std::move(image));
  pump(false);
}

}  // namespace tideover::wal
