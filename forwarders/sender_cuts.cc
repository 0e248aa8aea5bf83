// How large a part may be, and how one is cut.
#include <algorithm>
#include <iterator>
#include <utility>

#include "forwarders/sender_machine.h"
#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// Halves of a suspect have been seen to fail as part of it: two more failures each are enough.
constexpr std::uint32_t kFailuresPerSuspectHalf = 2;

}  // namespace

std::uint64_t SenderMachine::size_of(const Slot& slot) const {
  return slot.part.whole() ? units_ : slot.part.items();
}

// A lone record may be larger than a request may be, in either measure. To send it in parts means to decode
// it, a multiple of its bytes: not before a receiver, or its operator, has said that it is too much.
std::uint64_t SenderMachine::size_max() const {
  constexpr RequestLimits kUsual;
  const RequestLimits limits = working_size_.limits();
  if (limits.units >= kUsual.units && limits.raw_bytes >= kUsual.raw_bytes) return kEnd;
  if (raw_bytes_ <= limits.raw_bytes) return limits.units;
  return std::clamp<std::uint64_t>(units_ * limits.raw_bytes / raw_bytes_, 1, limits.units);
}

// The top gives way to its halves, or to what fits and the rest, the left one first: so the order of the
// items is kept.
Step SenderMachine::cut(Cut why, Time now) {
  if (why == Cut::named) return refused_by_name(Verdict(last_refusal_), now);
  if (items_ == 0) {
    pending_cut_ = why;
    return Step::of(Step::Kind::count);
  }
  Slot slot = stack_.back();
  if (slot.part.whole()) slot.part = {0, items_};
  if (slot.part.items() == 1) {  // of something that does not decode, this is known only now
    stack_.back() = slot;
    const bool refused = why == Cut::search || why == Cut::too_large;
    return refused ? keep_top(last_refusal_, true, now) : next(now);
  }
  twin_failed();  // what is bad in both of them may be in this one alone
  stack_.pop_back();
  slot.attempts = 0;
  slot.silent = 0;
  slot.known_bad = false;
  slot.twin_clean = false;
  if (why == Cut::size) slot.searched = false;
  if (why == Cut::search || why == Cut::too_large) {
    search_.start(items_, search_at_least(now));
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

// What was about to be sent, the top or the sibling that is tried beside it, must not be sent whole: it gives
// way to its pieces, the first one on top.
Step SenderMachine::cut_at(const std::vector<std::size_t>& borders, Time now) {
  const bool sibling = std::exchange(trial_, Trial::none) == Trial::sibling;
  const auto place = stack_.end() - (sibling ? 2 : 1);
  Slot slot = *place;
  invariant(slot.attempts > 0, "what is cut was about to be sent");
  if (slot.searched && !sibling) search_.not_sent();
  if (!sibling) twin_failed();
  if (slot.part.whole()) {
    items_ = borders.back();
    slot.part = {0, items_};
  }
  slot.attempts -= 1;
  slot.silent = 0;
  slot.seen = 0;
  slot.twin_clean = false;
  std::vector<Slot> pieces;  // the newest first, as in the stack
  for (auto end = borders.rbegin(); end != borders.rend(); ++end) {
    Slot piece = slot;
    piece.part.last = *end;
    if (std::next(end) != borders.rend()) piece.part.first = *std::next(end);
    invariant(piece.part.first < piece.part.last, "a piece holds something");
    pieces.push_back(std::move(piece));
  }
  stack_.insert(stack_.erase(place), pieces.begin(), pieces.end());
  return next(now);
}

}  // namespace tideover::forward
