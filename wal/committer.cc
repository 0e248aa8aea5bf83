#include "wal/committer.h"

#include <utility>

#include "wal/wal_format.h"

namespace tideover::wal {

Committer::Committer(Store& store, Worker& writer, Clock& clock, const WalLimits& limits, WalMetrics& metrics,
                     Hooks hooks)
    : store_(store),
      writer_(writer),
      clock_(clock),
      limits_(limits),
      metrics_(metrics),
      hooks_(std::move(hooks)),
      unwritten_(hooks_.value_of) {}

Committer::~Committer() {
  if (timer_) clock_.cancel(*timer_);
}

void Committer::append(Lane& lane, NewRecord record, std::vector<Checkpoint> checkpoints, Done done) {
  waiting_.push({&lane, std::move(record), std::move(checkpoints), std::move(done), clock_.now()});
  pump(true);
}

void Committer::note(std::vector<Checkpoint> checkpoints, Done done) {
  if (fault_) return done(*fault_);
  if (stopping_) return done(fail(Errc::stopping, "the agent is shutting down"));
  waiting_.push({nullptr, {}, std::move(checkpoints), std::move(done), clock_.now()});
  pump(true);
}

void Committer::divert(Lane& lane, NewRecord record) { unwritten_.divert(lane, std::move(record)); }

void Committer::born(Lane& lane) {
  unwritten_.born(lane);
  pump(false);
}

void Committer::born(Lane& lane, Cursor& cursor) {
  unwritten_.born(lane, cursor);
  pump(false);
}

void Committer::changed(Lane& lane) {
  unwritten_.changed(lane);
  pump(false);
}

void Committer::moved(const Lane& lane, Cursor& cursor) {
  unwritten_.moved(lane, cursor);
  pump(false);
}

void Committer::forget(Lane& lane, Cursor& cursor) {
  unwritten_.forget(lane, cursor);
  pump(false);
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
  if (unwritten_.empty() && waiting_.empty()) return;
  if (force || !waiting_.empty())
    submit(unwritten_.births() ? unwritten_.form_births()
                               : unwritten_.form(waiting_.take(limits_.group_bytes)));
  else if (unwritten_.births())
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
  unwritten_.settle_diverted(*group);
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

void Committer::settle_meta(const Group& group) {
  for (const auto& [key, place] : group.moved) place.move.cursor->made_durable(place.next);
  for (const Checkpoint& note : group.notes) hooks_.noted(note.key, note.value);
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
    unwritten_.settle_diverted(*unsure_);
    settle_meta(*unsure_);
  } else {
    unwritten_.take_back(std::move(*unsure_));
  }
  unsure_.reset();
  fault_.reset();
  hooks_.reopened(std::move(image));
  pump(false);
}

}  // namespace tideover::wal
