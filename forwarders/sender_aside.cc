// How something is set aside: what the queue must remember before, and what waits for its batch to show
// whether others pass.
#include <utility>
#include <vector>

#include "forwarders/sender_machine.h"

namespace tideover::forward {
namespace {

// A disk that does not take the mark is asked again after this.
constexpr Duration kMarkRetry = std::chrono::seconds(1);

}  // namespace

// What is set aside is overtaken by whatever is sent next. If we crash before its copy is durable, the next
// life sends it again, and must not take a refusal for its order as a proof of its arrival: hence the mark.
Step SenderMachine::park_top(const Verdict& verdict, Time now) {
  if (!limits_.parks) {
    if (role_ == Role::main) return hold_batch(now);
    not_before_ = now + limits_.quarantine_probe;  // to the end of its own lane
    return settle_top(Fate::quarantined, verdict);
  }
  if (role_ != Role::main) return settle_top(Fate::parked, verdict);
  if (!aside_.empty()) return put_aside(verdict, false, now);  // behind what is older
  if (remembered_) return settle_top(Fate::parked, verdict);
  parking_ = verdict;
  return mark(Mark::to_park);
}

Step SenderMachine::mark(Mark why) {
  marking_ = why;
  return Step::of(Step::Kind::mark);
}

Step SenderMachine::marked(Time now) {
  remembered_ = true;
  switch (std::exchange(marking_, Mark::none)) {
    case Mark::to_park: return settle_top(Fate::parked, std::move(parking_));
    case Mark::to_overtake: return overtake();
    case Mark::to_put_aside: return put_aside(parking_, parking_alone_, now);
    case Mark::none: break;
  }
  return next(now);
}

// The queue could not remember it: the part stays, and is asked for again.
Step SenderMachine::not_marked(Time now) {
  not_before_ = now + kMarkRetry;
  stack_.back().named.reset();
  return Step::sleep(not_before_);
}

// Whether others of its batch pass is asked next, and that may be newer.
Step SenderMachine::put_aside(const Verdict& verdict, bool alone, Time now) {
  if (!remembered_) {
    parking_ = verdict;
    parking_alone_ = alone;
    return mark(Mark::to_put_aside);
  }
  aside_.push_back({stack_.back(), verdict, alone});
  stack_.pop_back();
  return next(now);
}

// The oldest of it has its fate: others of its batch have passed by now, or nothing has.
Step SenderMachine::settle_aside(Time now) {
  const Aside oldest = aside_.front();
  const bool condemned = oldest.alone && others_pass_;
  if (!condemned && !limits_.parks) {
    if (!search_.something_passed()) return hold_batch(now);
    return ask_for_aside(now);
  }
  aside_.erase(aside_.begin());
  stack_.push_back(oldest.slot);
  return settle_top(condemned ? Fate::rejected : Fate::parked, oldest.verdict);
}

// Others have passed, so what is bad in it can be told now. They may be newer than it.
Step SenderMachine::ask_for_aside(Time now) {
  overtaken_ = true;
  for (; !aside_.empty(); aside_.pop_back()) {
    Slot slot = aside_.back().slot;
    slot.last_try = false;
    slot.twin_clean = false;
    slot.named.reset();
    stack_.push_back(slot);
  }
  return next(now);
}

// There is nowhere to put it, and nobody knows what is wrong with it: what is left of the batch waits, in as
// few pieces as it makes, and is asked for again from its beginning.
Step SenderMachine::hold_batch(Time now) {
  for (; !aside_.empty(); aside_.pop_back()) stack_.push_back(aside_.back().slot);
  std::vector<Slot> pieces;  // the newest first, as in the stack
  for (const Slot& slot : stack_) {
    Slot piece;
    piece.part = slot.part;
    piece.attempts = slot.attempts;
    piece.in_doubt = slot.in_doubt;
    piece.stored = slot.stored;
    if (!pieces.empty() && !piece.stored && !pieces.back().stored &&
        pieces.back().part.first == piece.part.last) {
      piece.part.last = pieces.back().part.last;
      piece.in_doubt = piece.in_doubt || pieces.back().in_doubt;
      pieces.pop_back();
    }
    pieces.push_back(piece);
  }
  stack_ = std::move(pieces);
  search_.close(true);
  held_ = true;
  others_pass_ = false;  // what passed before says nothing of what is refused after the wait
  pause(now);
  return next(now);
}

}  // namespace tideover::forward
