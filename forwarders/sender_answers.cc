// What an answer does to the part in flight: it passed, or was refused. Failures are sender_failures.cc, what
// comes next is sender_machine.cc.
#include <algorithm>
#include <utility>

#include "forwarders/sender_machine.h"
#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// Refusals in a row, in the main lane, that are not spaced: a search among good data meets fewer.
constexpr std::uint32_t kRefusalsAtOnce = 4;
constexpr Duration kRefusalGapFirst = std::chrono::milliseconds(20);
constexpr Duration kRefusalGapMax = std::chrono::milliseconds(250);
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

}  // namespace

Step SenderMachine::answered(const Answer& answer, Time now) {
  invariant(batch_open_ && !stack_.empty(), "an answer belongs to a part in flight");
  note_health(answer, now);
  note_refusal(answer, now);
  switch (answer.verdict.action) {
    case Action::advance: return passed(answer, now);
    case Action::retry: return failed(answer, now);
    case Action::park:
    case Action::bisect:
      return answer.verdict.named.empty() ? refused_unnamed(answer.verdict, now)
                                          : refused_by_name(answer.verdict, now);
    case Action::halve: return too_large(answer, now);
    case Action::downgrade: return other_version(answer.verdict, now);
    case Action::pause: pause(now); return ask_again(answer.verdict, now);
  }
  invariant(false, "every action is one of the seven");
  return {};
}

void SenderMachine::note_health(const Answer& answer, Time now) {
  if (answer.bytes == 0) return;  // it never left: nobody has said anything
  pace_.sent(now - answer.latency, answer.bytes);
  if (answer.overloaded) pace_.overloaded(now);
  const bool taken = answer.verdict.action != Action::retry && answer.verdict.action != Action::pause;
  if (!taken) return;
  const bool was_down = breaker_.open();
  const bool stores = answer.verdict.action == Action::advance || stores_the_rest(answer.verdict);
  // One that refuses whatever it is sent is not well because it has done so once more.
  const bool judges = stores || !refuses_everything();
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
  if (stores) pace_.passed(now, answer.bytes, answer.latency);
}

// Refusals are spaced: those of a side lane, which brings what was refused before, and those of the main lane
// when nothing passes between them.
void SenderMachine::note_refusal(const Answer& answer, Time now) {
  const Action action = answer.verdict.action;
  const bool stores = stores_the_rest(answer.verdict);
  if (action == Action::advance || stores) refusals_ = 0;
  const bool refused = action == Action::bisect || action == Action::halve;
  Duration gap{};
  if (role_ != Role::main && (refused || action == Action::park)) {
    gap = std::max(limits_.side_gap, kSideGapShare * answer.latency);
    // A slow line is left alone for longer: that is no use of it.
    rounds_.spent(limits_.side_gap + answer.latency);
  } else if (refused && !stores && ++refusals_ > kRefusalsAtOnce) {
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
  held_ = false;
  if (top.searched && faultless) {
    search_.passed();
    others_pass_ = true;
  }
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
  if (top.searched && search_is_over(verdict)) {
    for (Slot& slot : stack_) slot.last_try = slot.searched;
    return keep_top(verdict, false, now);
  }
  return cut(Cut::search, now);
}

// With nowhere to put what is left the search goes on to the last item, unless nobody knows what the receiver
// means and nothing passes at all.
bool SenderMachine::search_is_over(const Verdict& verdict) const {
  if (limits_.parks) return search_.exhausted();
  return search_.refused_whole() && !verdict.understood;
}

// A single item. It is given up when the receiver says what is wrong with it, or takes others of its batch:
// words that are not understood may speak of anything, a wrong path among them.
Step SenderMachine::refused_alone(const Verdict& verdict, Time now) {
  const bool others_pass = role_ == Role::main && others_pass_;
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
  if (limits_.parks && role_ == Role::main && !sensible && batch_passed_ == 0 && refuses_everything()) {
    pause(now);
    if (!parking_allowed_) {
      stack_.back().named.reset();  // whoever refuses everything has not looked at it
      return next(now);
    }
    alone = false;  // what it takes once it is repaired says nothing of this
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
  if (!limits_.parks && !divisible(top)) return refused_alone(answer.verdict, now);
  if (hopeless)
    for (Slot& slot : stack_) slot.last_try = slot.searched;
  return keep_top(answer.verdict, false, now);
}

Step SenderMachine::other_version(const Verdict& verdict, Time now) {
  if (std::exchange(other_version_asked_, true)) return settle_top(Fate::rejected, verdict);
  stack_.back().in_doubt = true;  // a proxy may have eaten the headers of a receiver that did store it
  return next(now);
}

}  // namespace tideover::forward
