#include "forwarders/sender_machine.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// Halves of a suspect have been seen to fail as part of it: two more failures each are enough.
constexpr std::uint32_t kFailuresPerSuspectHalf = 2;
// A disk that does not take the mark is asked again after this.
constexpr Duration kMarkRetry = std::chrono::seconds(1);
// A batch in which everything is answered 5xx is not taken apart item by item.
constexpr std::uint32_t kSuspicionCutsMax = 64;
// A replay begins after a random part of this share of the outage: a blip delays nobody.
constexpr int kReplayDelayShare = 10;

bool refused_for_order(wal::Reason reason) {
  return reason == wal::Reason::out_of_order || reason == wal::Reason::duplicate;
}

Duration random_part(Duration duration, Rng& rng) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * rng.unit()));
}

Step step_of(Step::Kind kind) {
  Step step;
  step.kind = kind;
  return step;
}

Step sleep_step(Time until) {
  Step step = step_of(Step::Kind::sleep);
  step.until = until;
  return step;
}

}  // namespace

SenderMachine::SenderMachine(Role role, const MachineLimits& limits, std::uint64_t seed)
    : role_(role),
      limits_(limits),
      rng_(seed),
      breaker_(limits.breaker, rng_),
      pace_(limits.pace),
      working_size_(limits.request),
      doubtful_left_(limits.doubtful_batches) {}

State SenderMachine::state() const {
  if (stopped_) return State::stopped;
  if (pause_ != Duration{}) return State::paused;
  if (breaker_.open()) return State::down;
  return recovering_ ? State::replaying : State::up;
}

void SenderMachine::poke() {
  not_before_ = {};
  breaker_.skip_wait();
  idle_ = false;
}

void SenderMachine::begin_replay(Time now) {
  recovering_ = true;
  pace_.slow_start(now);
}

Step SenderMachine::resume(const Event& event, Time now) {
  switch (event.kind) {
    case Event::Kind::stop: stopped_ = true; return step_of(Step::Kind::stop);
    case Event::Kind::proceed:
      // The queue could not remember it: the part stays, and is asked for again.
      if (std::exchange(parking_, std::nullopt)) not_before_ = now + kMarkRetry;
      return next(now);
    case Event::Kind::empty:
      if (std::exchange(trial_, Trial::none) == Trial::ahead) return next(now);
      recovering_ = false;
      idle_ = true;
      return next(now);
    case Event::Kind::loaded: open_batch(event, now); return next(now);
    case Event::Kind::counted:
      invariant(event.items > 0, "a batch has at least one item");
      items_ = event.items;
      return cut(std::exchange(pending_cut_, Cut::none), now);
    case Event::Kind::marked:
      remembered_ = true;
      if (parking_) return settle_top(Fate::parked, *std::exchange(parking_, std::nullopt));
      return overtake();
    case Event::Kind::answered:
      return trial_ == Trial::none ? answered(event.answer, now) : trial_answered(event.answer, now);
  }
  invariant(false, "every event is one of the seven");
  return {};
}

// ---- the batch ----

void SenderMachine::open_batch(const Event& loaded, Time now) {
  invariant(!batch_open_, "one batch at a time is in flight");
  batch_open_ = true;
  batch_touched_ = false;
  remembered_ = overtaken_ = loaded.overtaken;
  parking_.reset();
  items_ = 0;
  units_ = loaded.units;
  trials_ = 0;
  suspicion_cuts_ = 0;
  Slot slot;
  slot.in_doubt = role_ == Role::quarantine || (loaded.found_at_start && doubtful_left_ > 0) ||
                  std::exchange(next_in_doubt_, false);
  stack_.push_back(slot);
  if (role_ == Role::main || !idle_) return;
  idle_ = false;
  not_before_ = now + (role_ == Role::parked ? limits_.parked_probe : limits_.quarantine_probe);
}

void SenderMachine::close_batch() {
  batch_open_ = false;
  search_.reset();
  if (doubtful_left_ > 0) --doubtful_left_;
}

std::size_t SenderMachine::items_of(const Slot& slot) const {
  if (!slot.part.whole()) return slot.part.items();
  return items_ == 0 ? kEnd : items_;
}

Step SenderMachine::next(Time now) {
  if (stopped_) return step_of(Step::Kind::stop);
  if (!batch_open_) {
    // A batch that was put back waits on disk, not in memory.
    if (not_before_ > now && role_ != Role::main) return sleep_step(not_before_);
    return step_of(Step::Kind::read);
  }
  if (stack_.empty()) {
    close_batch();
    return step_of(Step::Kind::ack);
  }
  const Slot& top = stack_.back();
  if (top.known_bad && divisible(top))
    return top.last_try ? give_up_search(last_refusal_, now) : cut(Cut::search, now);
  const std::uint64_t size = top.part.whole() ? units_ : top.part.items();
  if (working_size_.reduced() && size > working_size_.units() && divisible(top)) return cut(Cut::size, now);

  const Time when = std::max({not_before_, breaker_.next_attempt(), pace_.next_send()});
  return when > now ? sleep_step(when) : send_top();
}

Step SenderMachine::send_top() {
  Slot& top = stack_.back();
  Step step = step_of(Step::Kind::send);
  step.part = top.part;
  step.retry = top.attempts++;
  step.in_doubt = top.in_doubt;
  step.overtaken = overtaken_;
  step.divisible = divisible(top);
  if (top.searched) search_.sent();
  return step;
}

Step SenderMachine::settle_top(Fate fate, Verdict verdict) {
  Step step = step_of(Step::Kind::settle);
  step.part = stack_.back().part;
  step.fate = fate;
  step.verdict = std::move(verdict);
  stack_.pop_back();
  batch_touched_ = true;
  return step;
}

// What is set aside is overtaken by whatever is sent next. If we crash before its copy is durable, the next
// life sends it again, and must not take a refusal for its order as a proof of its arrival: hence the mark.
Step SenderMachine::park_top(const Verdict& verdict) {
  if (role_ != Role::main || remembered_) return settle_top(Fate::parked, verdict);
  parking_ = verdict;
  return step_of(Step::Kind::mark);
}

// The top gives way to its halves, the left one first: so the order of the items is kept.
Step SenderMachine::cut(Cut why, Time now) {
  if (items_ == 0) {
    pending_cut_ = why;
    return step_of(Step::Kind::count);
  }
  Slot slot = stack_.back();
  if (slot.part.whole()) slot.part = {0, items_};
  if (slot.part.items() == 1) {
    // Only now is it known that the batch is a single item: what was refused as a whole is asked once more,
    // and the answer is then final.
    stack_.back() = slot;
    return next(now);
  }
  stack_.pop_back();
  slot.attempts = 0;
  slot.known_bad = false;
  slot.twin_clean = false;
  if (why == Cut::search) {
    search_.start(items_);
    slot.searched = true;
  }
  if (why == Cut::suspicion) {
    ++suspicion_cuts_;
    slot.seen = limits_.suspect_after - std::min(limits_.suspect_after, kFailuresPerSuspectHalf);
  }
  const std::size_t middle = slot.part.first + slot.part.items() / 2;
  Slot left = slot;
  Slot right = slot;
  left.part.last = middle;
  right.part.first = middle;
  right.twin_clean = why == Cut::search;
  stack_.push_back(right);
  stack_.push_back(left);
  return next(now);
}

// Puts the batch back (parked lane only): it is probed again later.
Step SenderMachine::hold(Time now) {
  not_before_ = now + limits_.parked_probe;
  search_.reset();
  if (!batch_touched_) {
    stack_.clear();
    batch_open_ = false;
  }
  for (Slot& slot : stack_) slot.searched = slot.twin_clean = slot.known_bad = slot.last_try = false;
  return next(now);
}

// ---- answers ----

Step SenderMachine::answered(const Answer& answer, Time now) {
  invariant(batch_open_ && !stack_.empty(), "an answer belongs to a part in flight");
  note_health(answer, now);
  switch (answer.verdict.action) {
    case Action::advance: return passed(answer, now);
    case Action::retry: return failed(answer, now);
    case Action::park: return refused_by_window(answer.verdict, now);
    case Action::bisect: return refused(answer.verdict, now);
    case Action::halve: return too_large(answer, now);
    case Action::downgrade: return other_version(answer.verdict, now);
    case Action::pause: return paused(answer.verdict, now);
  }
  invariant(false, "every action is one of the seven");
  return {};
}

void SenderMachine::note_health(const Answer& answer, Time now) {
  pace_.sent(now - answer.latency, answer.bytes);
  if (answer.overloaded) pace_.overloaded(now);
  const bool taken = answer.verdict.action != Action::retry && answer.verdict.action != Action::pause;
  if (!taken) return;
  const bool was_down = breaker_.open();
  const bool was_paused = std::exchange(pause_, Duration{}) != Duration{};
  if (was_down || was_paused) {
    recovering_ = true;
    pace_.slow_start(now);
  }
  if (was_down) {
    const Duration outage = now - breaker_.failing_since();
    not_before_ = now + random_part(std::min(limits_.replay_delay_max, outage / kReplayDelayShare), rng_);
  }
  breaker_.succeeded();
  if (answer.verdict.action == Action::advance) pace_.passed(now, answer.bytes, answer.latency);
}

Step SenderMachine::passed(const Answer& answer, Time) {
  const Slot top = stack_.back();
  const bool clean = answer.verdict.losses.empty() && !answer.verdict.probable_duplicate;
  // Of several items that arrived earlier none is the fault that is searched for; of one item it may be.
  const bool faultless = answer.verdict.losses.empty() && (clean || divisible(top));
  working_size_.passed(answer.units);
  if (clean) ++passes_;
  if (top.searched && faultless) search_.passed();
  Step step = settle_top(Fate::delivered, answer.verdict);
  if (!stack_.empty() && std::exchange(stack_.back().twin_clean, false) && faultless)
    stack_.back().known_bad = true;
  return step;
}

void SenderMachine::twin_failed() {
  if (stack_.size() > 1) stack_[stack_.size() - 2].twin_clean = false;
}

Step SenderMachine::paused(const Verdict&, Time now) {
  if (pause_ == Duration{})
    pause_ = limits_.pause_min + random_part(limits_.pause_max - limits_.pause_min, rng_);
  // +-10 %, as a backoff at its cap.
  not_before_ = now + pause_ - pause_ / 10 + random_part(pause_ / 5, rng_);
  return next(now);
}

// The receiver's window refuses all of the part, or more of it than is worth looking for.
Step SenderMachine::refused_by_window(const Verdict& verdict, Time now) {
  if (role_ == Role::parked) return hold(now);
  twin_failed();
  if (stack_.back().searched) search_.culprit_found();
  return park_top(verdict);
}

// Something in the part is bad.
Step SenderMachine::refused(const Verdict& verdict, Time now) {
  twin_failed();
  last_refusal_ = verdict;
  Slot& top = stack_.back();
  top.in_doubt = top.in_doubt || verdict.rest_stored;
  if (!divisible(top)) {
    if (top.searched) search_.culprit_found();
    return settle_top(Fate::rejected, verdict);
  }
  // Part of a batch that may have arrived is refused for what did arrive, and the answer does not say where
  // the rest begins. No budget: to give up would drop what has not arrived.
  if (top.in_doubt && refused_for_order(verdict.reason)) return cut(Cut::search, now);
  if (top.last_try) return give_up_search(verdict, now);
  if (top.searched && search_.exhausted()) {
    for (Slot& slot : stack_) slot.last_try = slot.searched;
    return give_up_search(verdict, now);
  }
  return cut(Cut::search, now);
}

// Nobody knows what in it is bad, and it is kept.
Step SenderMachine::give_up_search(const Verdict& verdict, Time now) {
  if (role_ == Role::parked) return hold(now);
  return park_top(verdict);
}

Step SenderMachine::too_large(const Answer& answer, Time now) {
  if (answer.units > 0)
    working_size_.refused(answer.units);  // without any it never left: the receiver said nothing
  twin_failed();
  if (!divisible(stack_.back())) return settle_top(Fate::rejected, answer.verdict);
  return cut(Cut::size, now);
}

Step SenderMachine::other_version(const Verdict& verdict, Time now) {
  if (downgraded_) return settle_top(Fate::rejected, verdict);
  downgraded_ = true;
  stack_.back().in_doubt = true;  // a proxy may have eaten the headers of a receiver that did store it
  return next(now);
}

// ---- failures, and the part that causes them ----

Step SenderMachine::failed(const Answer& answer, Time now) {
  breaker_.failed(now, answer.verdict.retry_after);
  pause_ = {};
  Slot& top = stack_.back();
  if (!answer.in_doubt) return next(now);
  top.in_doubt = true;
  if (answer.silent && role_ != Role::quarantine) return next(now);
  if (top.seen++ == 0) top.passes_before = passes_;
  if (role_ == Role::quarantine) {
    // To the end of its own lane: one part that fails for ever must not keep the others from their attempt.
    not_before_ = now + limits_.quarantine_probe;
    return settle_top(Fate::quarantined, answer.verdict);
  }
  if (top.seen < limits_.suspect_after) return next(now);
  last_refusal_ = answer.verdict;
  return suspected(now);
}

// The part at the top has failed often, and each time the receiver saw it. Is it an outage, or the part?
// Halves are smaller and keep the order, so they are asked first. When a single item is left, another part is
// sent right behind its failure: if that passes and the item fails once more, it is the item. From then on a
// refusal for its order no longer proves that it had arrived, in no later life either: hence the mark.
Step SenderMachine::suspected(Time now) {
  Slot& top = stack_.back();
  if (divisible(top) && suspicion_cuts_ < kSuspicionCutsMax) return cut(Cut::suspicion, now);
  if (!quarantine_allowed_) return next(now);
  // Trials grow rare, since each one may break the order of its series should the receiver come back in the
  // moment between the two requests.
  if (passes_ == top.passes_before && !std::has_single_bit(top.seen)) return next(now);
  return remembered_ ? overtake() : step_of(Step::Kind::mark);
}

// Something newer is sent before the suspect from here on. If we crash between the mark and that, the next
// life takes the batch for overtaken though it was not: what the receiver refuses for its order is then
// parked, where it might have been known to have arrived.
Step SenderMachine::overtake() {
  overtaken_ = true;
  if (passes_ > stack_.back().passes_before) return settle_top(Fate::quarantined, last_refusal_);
  Step step = step_of(Step::Kind::send);
  if (trials_++ % 2 == 0 && stack_.size() > 1) {
    Slot& sibling = stack_[stack_.size() - 2];
    trial_ = Trial::sibling;
    step.part = sibling.part;
    step.retry = sibling.attempts++;
    step.in_doubt = sibling.in_doubt;
    step.overtaken = overtaken_;
    step.divisible = divisible(sibling);
  } else {
    trial_ = Trial::ahead;
    step.ahead = true;
  }
  return step;
}

Step SenderMachine::trial_answered(const Answer& answer, Time now) {
  const Trial trial = std::exchange(trial_, Trial::none);
  const bool clean = answer.verdict.action == Action::advance && answer.verdict.losses.empty();
  if (!clean) {
    if (trial == Trial::sibling) {
      Slot& sibling = stack_[stack_.size() - 2];
      sibling.in_doubt = sibling.in_doubt || answer.in_doubt || answer.verdict.rest_stored;
    } else {
      next_in_doubt_ = next_in_doubt_ || answer.in_doubt || answer.verdict.rest_stored;
    }
    return next(now);
  }
  ++passes_;
  breaker_.succeeded();  // so that the suspect is asked once more at once
  if (trial == Trial::ahead) return next(now);
  const Slot suspect = stack_.back();
  stack_.pop_back();
  Step step = settle_top(Fate::delivered, answer.verdict);
  stack_.push_back(suspect);
  return step;
}

}  // namespace tideover::forward
