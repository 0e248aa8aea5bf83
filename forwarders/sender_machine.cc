#include "forwarders/sender_machine.h"

#include <algorithm>
#include <utility>

#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// A batch of the parked lane this small, in units, is looked through to the last item when a round is due.
// So that what may pass is found also between what may not, some batches are made as small: the first of a
// round that follows one in vain (rounds.h), and some of those behind it.
constexpr std::uint32_t kLookedThroughWhole = 256;
constexpr double kCloseTurns = 0.125;

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
    case Event::Kind::stop: stopped_ = true; return Step::of(Step::Kind::stop);
    case Event::Kind::proceed:
      return std::exchange(marking_, Mark::none) == Mark::none ? next(now) : not_marked(now);
    case Event::Kind::empty:
      if (std::exchange(trial_, Trial::none) == Trial::ahead) return next(now);
      recovering_ = false;
      // All of it is set aside: whether the receiver takes it is for those lanes to ask.
      pause_ = {};
      breaker_.succeeded();
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
    case Event::Kind::cut: return cut_at(event.borders, now);
    case Event::Kind::answered:
      return trial_ == Trial::none ? answered(event.answer, now) : trial_answered(event.answer, now);
  }
  invariant(false, "every event is one of the eight");
  return {};
}

// ---- the batch ----

void SenderMachine::open_batch(const Loaded& loaded, Time now) {
  invariant(!batch_open_, "one batch at a time is in flight");
  batch_open_ = true;
  batch_passed_ = batch_parked_ = 0;
  batch_senseless_ = others_pass_ = held_ = false;
  overtaken_ = loaded.overtaken;
  remembered_ = loaded.remembered;
  marking_ = Mark::none;
  items_ = 0;
  units_ = loaded.units;
  raw_bytes_ = loaded.raw_bytes;
  trials_ = 0;
  suspicion_cuts_ = 0;
  Slot slot;
  slot.in_doubt = std::exchange(next_in_doubt_, false) || loaded.repeated || role_ == Role::quarantine ||
                  (loaded.found_at_start && doubtful_left_ > 0);
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
  const bool senseless = batch_senseless_ && batch_passed_ == 0;
  search_.close(senseless);
  senseless_ = senseless ? senseless_ + 1 : 0;
  if (doubtful_left_ > 0) --doubtful_left_;
}

std::size_t SenderMachine::items_of(const Slot& slot) const {
  if (!slot.part.whole()) return slot.part.items();
  return items_ == 0 ? kEnd : items_;
}

Step SenderMachine::next(Time now) {
  if (stopped_) return Step::of(Step::Kind::stop);
  if (!batch_open_) {
    // A batch that was put back waits on disk, not in memory.
    if (not_before_ > now && role_ != Role::main) return Step::sleep(not_before_);
    if (role_ == Role::parked)
      close_look_ = rounds_.on() ? rng_.chance(kCloseTurns) : rounds_.begins_close(now);
    return Step::of(Step::Kind::read);
  }
  if (!aside_.empty() && (search_.something_passed() || stack_.empty()))
    return not_before_ > now ? Step::sleep(not_before_) : settle_aside(now);
  if (stack_.empty()) return batch_settled(now);
  // The refusal of a single item speaks of that item, and is not asked for twice: whether it is one must be
  // known before. Such batches are small.
  if (items_ == 0 && units_ <= 1) return Step::of(Step::Kind::count);
  const Slot& top = stack_.back();
  if (top.judged()) return settle_judged(now);
  if (top.known_bad && divisible(top))
    return top.last_try ? keep_top(last_refusal_, false, now) : cut(Cut::search, now);
  if (!top.last_try && size_of(top) > size_max() && divisible(top)) return cut(Cut::size, now);

  const Time when = std::max({not_before_, breaker_.next_attempt(), pace_.next_send()});
  return when > now ? Step::sleep(when) : send_top();
}

Step SenderMachine::send_top() {
  Slot& top = stack_.back();
  Step step = Step::of(Step::Kind::send);
  step.part = top.part;
  step.retry = top.attempts++;
  step.in_doubt = top.in_doubt;
  step.overtaken = overtaken_;
  step.divisible = divisible(top);
  if (top.searched) search_.sent();
  return step;
}

Step SenderMachine::settle_top(Fate fate, Verdict verdict) {
  Step step = Step::of(Step::Kind::settle);
  step.part = stack_.back().part;
  step.fate = fate;
  step.verdict = std::move(verdict);
  const std::uint64_t size = std::max<std::uint64_t>(size_of(stack_.back()), 1);
  stack_.pop_back();
  const bool again = fate == (role_ == Role::quarantine ? Fate::quarantined : Fate::parked);
  (again ? batch_parked_ : batch_passed_) += size;
  return step;
}

// All of it has met its fate, which in the parked lane may be the one it came from.
Step SenderMachine::batch_settled(Time now) {
  Step step = Step::of(Step::Kind::ack);
  if (role_ == Role::parked) {
    const Rounds::Place place = rounds_.after_turn({batch_passed_, batch_parked_, close_look_}, now);
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

RequestLimits SenderMachine::request_limits() const {
  RequestLimits limits = working_size_.limits();
  if (close_look_) limits.units = std::min<std::uint64_t>(limits.units, kLookedThroughWhole);
  return limits;
}

// A record may hold more than is looked through whole: of that, as much as from its front.
std::uint32_t SenderMachine::search_at_least(Time now) const {
  if (role_ != Role::parked) return 0;
  if (units_ <= kLookedThroughWhole && rounds_.due(now)) return Bisection::kNoEnd;
  return close_look_ ? 2 * kLookedThroughWhole : 0;
}

}  // namespace tideover::forward
