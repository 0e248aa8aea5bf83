// What a failed attempt does to the part in flight: an outage, a line that is too slow, or a part that is to
// blame.
#include <bit>
#include <utility>

#include "forwarders/sender_machine.h"

namespace tideover::forward {
namespace {

// A batch in which everything is answered 5xx is not taken apart item by item.
constexpr std::uint32_t kSuspicionCutsMax = 64;

}  // namespace

Step SenderMachine::failed(const Answer& answer, Time now) {
  breaker_.failed(now, answer.verdict.retry_after);
  pause_ = {};
  if (breaker_.open()) {
    // Who answers after an outage may be another one: what is taken then says nothing of what was refused
    // before, nor what was taken before of what is refused then.
    others_pass_ = false;
    for (Aside& aside : aside_) aside.alone = false;
  }
  Slot& top = stack_.back();
  if (!answer.in_doubt) return answer.silent ? next(now) : ask_again(answer.verdict, now);
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

// The receiver wants it later, or not from us. Whether that is so of everything is for the main lane to find
// out: in a side lane nothing waits for ever behind it.
Step SenderMachine::ask_again(const Verdict& verdict, Time now) {
  if (role_ == Role::main || stack_.back().attempts < limits_.suspect_after) return next(now);
  return settle_top(role_ == Role::parked ? Fate::parked : Fate::quarantined, verdict);
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
  // Trials grow rare, since each one may break the order of the items should the receiver come back in the
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
  Step step;
  step.kind = Step::Kind::send;
  if (trials_++ % 2 == 0 && stack_.size() > 1 && !stack_[stack_.size() - 2].judged()) {
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
  const Action action = answer.verdict.action;
  const bool clean = action == Action::advance && answer.verdict.losses.empty();
  if (!clean) {
    bool& in_doubt = trial == Trial::sibling ? stack_[stack_.size() - 2].in_doubt : next_in_doubt_;
    // An advance that is not clean has stored the rest, and see other_version().
    const bool stored = action == Action::advance || action == Action::downgrade;
    in_doubt = in_doubt || stored || answer.in_doubt || answer.verdict.rest_stored;
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
