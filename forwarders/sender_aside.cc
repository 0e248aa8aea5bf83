// How something is set aside: what the queue must remember before, and what waits for its batch to show
// whether others pass.
#include <utility>

#include "forwarders/sender_machine.h"

namespace tideover::forward {
namespace {

// A disk that does not take the mark is asked again after this.
constexpr Duration kMarkRetry = std::chrono::seconds(1);

}  // namespace

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
void SenderMachine::not_marked(Time now) { not_before_ = now + kMarkRetry; }

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
Step SenderMachine::settle_aside() {
  const Aside oldest = aside_.front();
  const bool condemned = oldest.alone && others_pass_;
  aside_.erase(aside_.begin());
  stack_.push_back(oldest.slot);
  return settle_top(condemned ? Fate::rejected : Fate::parked, oldest.verdict);
}

}  // namespace tideover::forward
