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
// Refusals in a row, in the main lane, that are not spaced: a search among good data meets fewer.
constexpr std::uint32_t kRefusalsAtOnce = 4;
constexpr Duration kRefusalGapFirst = std::chrono::milliseconds(20);
constexpr Duration kRefusalGapMax = std::chrono::seconds(1);
// Of a side lane, in parts of the time that the refused request took.
constexpr int kSideGapShare = 4;
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
      rounds_(limits.parked_rounds),
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
  rounds_.ask();
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
      if (std::exchange(marking_, Mark::none) != Mark::none) not_before_ = now + kMarkRetry;
      return next(now);
    case Event::Kind::empty:
      if (std::exchange(trial_, Trial::none) == Trial::ahead) return next(now);
      recovering_ = false;
      idle_ = true;
      rounds_.emptied();
      return next(now);
    case Event::Kind::loaded: open_batch(event.batch, now); return next(now);
    case Event::Kind::counted: {
      invariant(event.items > 0, "a batch has at least one item");
      items_ = event.items;
      const Cut why = std::exchange(pending_cut_, Cut::none);
      return why == Cut::none ? next(now) : cut(why, now);
    }
    case Event::Kind::marked: return marked(now);
    case Event::Kind::answered:
      return trial_ == Trial::none ? answered(event.answer, now) : trial_answered(event.answer, now);
  }
  invariant(false, "every event is one of the seven");
  return {};
}

// ---- the batch ----

void SenderMachine::open_batch(const Loaded& loaded, Time now) {
  invariant(!batch_open_, "one batch at a time is in flight");
  batch_open_ = true;
  batch_passed_ = batch_parked_ = batch_senseless_ = false;
  overtaken_ = loaded.overtaken;
  remembered_ = loaded.remembered;
  marking_ = Mark::none;
  items_ = 0;
  units_ = loaded.units;
  raw_bytes_ = loaded.raw_bytes;
  trials_ = 0;
  suspicion_cuts_ = 0;
  Slot slot;
  slot.in_doubt = role_ == Role::quarantine || (loaded.found_at_start && doubtful_left_ > 0) ||
                  std::exchange(next_in_doubt_, false);
  stack_.push_back(slot);
  aside_.clear();
  if (role_ == Role::main) return;
  if (rounds_.on() && loaded.beyond_round) {
    rounds_.came_round(now);
    idle_ = !rounds_.asked();
  }
  if (!std::exchange(idle_, false)) return;
  not_before_ = now + (role_ == Role::parked ? limits_.parked_probe : limits_.quarantine_probe);
}

void SenderMachine::close_batch() {
  batch_open_ = false;
  const bool senseless = batch_senseless_ && !batch_passed_;
  search_.close(senseless);
  senseless_ = senseless ? senseless_ + 1 : 0;
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
  if (!aside_.empty() && (search_.something_passed() || stack_.empty()))
    return not_before_ > now ? sleep_step(not_before_) : settle_aside();
  if (stack_.empty()) return batch_settled(now);
  // The refusal of a single item speaks of that item, and is not asked for twice: whether it is one must be
  // known before. Such batches are small.
  if (items_ == 0 && units_ <= 1) return step_of(Step::Kind::count);
  const Slot& top = stack_.back();
  if (top.known_bad && divisible(top))
    return top.last_try ? keep_top(last_refusal_, false, now) : cut(Cut::search, now);
  if (!top.last_try && size_of(top) > size_max() && divisible(top)) return cut(Cut::size, now);

  const Time when = std::max({not_before_, breaker_.next_attempt(), pace_.next_send()});
  return when > now ? sleep_step(when) : send_top();
}

std::uint64_t SenderMachine::size_of(const Slot& slot) const {
  return slot.part.whole() ? units_ : slot.part.items();
}

// A lone record may be larger than a request may be, in either measure.
std::uint64_t SenderMachine::size_max() const {
  const RequestLimits limits = working_size_.limits();
  if (raw_bytes_ <= limits.raw_bytes) return limits.units;
  return std::clamp<std::uint64_t>(units_ * limits.raw_bytes / raw_bytes_, 1, limits.units);
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
  const bool again = fate == (role_ == Role::quarantine ? Fate::quarantined : Fate::parked);
  batch_parked_ = batch_parked_ || again;
  batch_passed_ = batch_passed_ || !again;
  return step;
}

// All of it has met its fate, which in the parked lane may be the one it came from.
Step SenderMachine::batch_settled(Time now) {
  Step step = step_of(Step::Kind::ack);
  if (role_ == Role::parked) {
    const Rounds::Place place = rounds_.after_turn(batch_passed_, batch_parked_, now);
    step.begins_round = place == Rounds::Place::begins;
    if (place == Rounds::Place::stays) {
      close_batch();
      not_before_ = now + limits_.parked_probe;
      return next(now);
    }
  }
  close_batch();
  return step;
}

// What is set aside is overtaken by whatever is sent next. If we crash before its copy is durable, the next
// life sends it again, and must not take a refusal for its order as a proof of its arrival: hence the mark.
Step SenderMachine::park_top(const Verdict& verdict, Time now) {
  if (role_ != Role::main) return settle_top(Fate::parked, verdict);
  if (!aside_.empty()) return put_aside(verdict, false, now);  // behind what is older
  if (remembered_) return settle_top(Fate::parked, verdict);
  parking_ = verdict;
  return mark(Mark::to_park);
}

Step SenderMachine::mark(Mark why) {
  marking_ = why;
  return step_of(Step::Kind::mark);
}

Step SenderMachine::marked(Time now) {
  remembered_ = true;
  switch (std::exchange(marking_, Mark::none)) {
    case Mark::to_park: return settle_top(Fate::parked, std::move(parking_));
    case Mark::to_overtake: return overtake();
    case Mark::to_settle_aside: return settle_aside();
    case Mark::none: break;
  }
  return next(now);
}

Step SenderMachine::put_aside(const Verdict& verdict, bool alone, Time now) {
  aside_.push_back({stack_.back(), verdict, alone});
  stack_.pop_back();
  return next(now);
}

// The oldest of it has its fate: others of its batch have passed by now, or nothing has.
Step SenderMachine::settle_aside() {
  const Aside oldest = aside_.front();
  const bool condemned = oldest.alone && search_.something_passed();
  if (!condemned && !remembered_) return mark(Mark::to_settle_aside);
  aside_.erase(aside_.begin());
  stack_.push_back(oldest.slot);
  return settle_top(condemned ? Fate::rejected : Fate::parked, oldest.verdict);
}

// The top gives way to its halves, or to what fits and the rest, the left one first: so the order of the
// items is kept.
Step SenderMachine::cut(Cut why, Time now) {
  if (items_ == 0) {
    pending_cut_ = why;
    return step_of(Step::Kind::count);
  }
  Slot slot = stack_.back();
  if (slot.part.whole()) slot.part = {0, items_};
  if (slot.part.items() == 1) {  // of something that does not decode, this is known only now
    stack_.back() = slot;
    const bool refused = why == Cut::search || why == Cut::too_large;
    return refused ? keep_top(last_refusal_, true, now) : next(now);
  }
  stack_.pop_back();
  slot.attempts = 0;
  slot.silent = 0;
  slot.known_bad = false;
  slot.twin_clean = false;
  if (why == Cut::size) slot.searched = false;
  if (why == Cut::search || why == Cut::too_large) {
    search_.start(items_);
    slot.searched = true;
  }
  if (why == Cut::suspicion) {
    ++suspicion_cuts_;
    slot.seen = limits_.suspect_after - std::min(limits_.suspect_after, kFailuresPerSuspectHalf);
  }
  const bool fits = why == Cut::size && size_max() < slot.part.items();
  const std::size_t middle = slot.part.first + (fits ? size_max() : slot.part.items() / 2);
  Slot left = slot;
  Slot right = slot;
  left.part.last = middle;
  right.part.first = middle;
  right.twin_clean = why == Cut::search;
  stack_.push_back(right);
  stack_.push_back(left);
  return next(now);
}

// ---- answers ----

Step SenderMachine::answered(const Answer& answer, Time now) {
  invariant(batch_open_ && !stack_.empty(), "an answer belongs to a part in flight");
  note_health(answer, now);
  note_refusal(answer, now);
  switch (answer.verdict.action) {
    case Action::advance: return passed(answer, now);
    case Action::retry: return failed(answer, now);
    case Action::park: return refused_by_window(answer.verdict, now);
    case Action::bisect: return refused(answer.verdict, now);
    case Action::halve: return too_large(answer, now);
    case Action::downgrade: return other_version(answer.verdict, now);
    case Action::pause: pause(now); return next(now);
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
  // One that refuses whatever it is sent is not well because it has done so once more.
  const bool judges = answer.verdict.action == Action::advance || !refuses_everything();
  const bool was_paused = judges && std::exchange(pause_, Duration{}) != Duration{};
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

// Refusals are spaced: those of a side lane, which brings what was refused before, and those of the main lane
// when nothing passes between them.
void SenderMachine::note_refusal(const Answer& answer, Time now) {
  const Action action = answer.verdict.action;
  if (action == Action::advance) refusals_ = 0;
  const bool refused = action == Action::bisect || action == Action::halve;
  Duration gap{};
  if (role_ != Role::main && (refused || action == Action::park)) {
    gap = std::max(limits_.side_gap, kSideGapShare * answer.latency);
  } else if (refused && ++refusals_ > kRefusalsAtOnce) {
    const std::uint32_t doublings = std::min(refusals_ - kRefusalsAtOnce - 1, 16U);
    gap = std::min(kRefusalGapFirst * (1 << doublings), kRefusalGapMax);
  }
  if (gap != Duration{}) not_before_ = std::max(not_before_, now + gap);
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

void SenderMachine::pause(Time now) {
  if (pause_ == Duration{})
    pause_ = limits_.pause_min + random_part(limits_.pause_max - limits_.pause_min, rng_);
  // +-10 %, as a backoff at its cap.
  not_before_ = now + pause_ - pause_ / 10 + random_part(pause_ / 5, rng_);
}

// The receiver's window refuses all of the part, or more of it than is worth looking for.
Step SenderMachine::refused_by_window(const Verdict& verdict, Time now) {
  twin_failed();
  if (stack_.back().searched) search_.culprit_found();
  return park_top(verdict, now);
}

// Something in the part is bad.
Step SenderMachine::refused(const Verdict& verdict, Time now) {
  twin_failed();
  last_refusal_ = verdict;
  Slot& top = stack_.back();
  top.in_doubt = top.in_doubt || verdict.rest_stored;
  if (!divisible(top)) return refused_alone(verdict, now);
  // Part of a batch that may have arrived is refused for what did arrive, and the answer does not say where
  // the rest begins. No budget: to give up would drop what has not arrived.
  if (top.in_doubt && refused_for_order(verdict.reason)) return cut(Cut::search, now);
  if (top.last_try) return keep_top(verdict, false, now);
  if (top.searched && search_.exhausted()) {
    for (Slot& slot : stack_) slot.last_try = slot.searched;
    return keep_top(verdict, false, now);
  }
  return cut(Cut::search, now);
}

// A single item. It is given up when the receiver says what is wrong with it, or takes others of its batch:
// words that are not understood may speak of anything, a wrong path among them.
Step SenderMachine::refused_alone(const Verdict& verdict, Time now) {
  const bool others_pass = role_ == Role::main && search_.something_passed();
  if (stack_.back().searched) search_.culprit_found();
  if (verdict.understood || others_pass) return settle_top(Fate::rejected, verdict);
  return keep_top(verdict, true, now);
}

// Nobody knows what in it is bad: it is set aside. When batch after batch is refused so, it is the receiver,
// or somebody before it, that is not as it should be: then there is a pause between them, and what there is
// no room for waits where it is.
Step SenderMachine::keep_top(const Verdict& verdict, bool alone, Time now) {
  const bool sensible = verdict.understood || verdict.reason == wal::Reason::out_of_bounds;
  batch_senseless_ = batch_senseless_ || !sensible;
  if (role_ == Role::main && !sensible && !batch_passed_ && refuses_everything()) {
    pause(now);
    if (!parking_allowed_) return next(now);
  }
  const bool undecided = role_ == Role::main && search_.active() && !search_.something_passed();
  return undecided ? put_aside(verdict, alone, now) : park_top(verdict, now);
}

// 413, or more than can be made. A receiver that says so even of a single item, or of every part of a batch,
// says it of everything: then the size is not what is wrong.
Step SenderMachine::too_large(const Answer& answer, Time now) {
  const bool said = answer.units > 0;  // without any it never left: the receiver said nothing
  Slot& top = stack_.back();
  twin_failed();
  last_refusal_ = answer.verdict;
  const bool hopeless = top.last_try || (said && top.searched && search_.refused_whole());
  if (divisible(top) && !hopeless) {
    if (said) working_size_.refused(answer.units);
    return cut(said ? Cut::too_large : Cut::size, now);
  }
  working_size_.forget();
  if (hopeless)
    for (Slot& slot : stack_) slot.last_try = slot.searched;
  return keep_top(answer.verdict, false, now);
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
  if (answer.silent && role_ != Role::quarantine) return unanswered(answer.verdict, now);
  top.silent = 0;
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

// No answer came. That accuses the network, or the size: what takes the receiver or the line too long arrives
// in smaller requests. When not even a single item is answered it is an outage, and the size is forgotten.
Step SenderMachine::unanswered(const Verdict& verdict, Time now) {
  Slot& top = stack_.back();
  if (++top.silent < limits_.silent_before_smaller) return next(now);
  if (divisible(top)) {
    working_size_.unanswered(size_of(top));
    return cut(Cut::size, now);
  }
  working_size_.forget();
  // In a side lane nothing waits behind what is never answered.
  const bool has_had_its_turn = role_ == Role::parked && top.silent >= limits_.suspect_after;
  return has_had_its_turn ? park_top(verdict, now) : next(now);
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
  return remembered_ ? overtake() : mark(Mark::to_overtake);
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
