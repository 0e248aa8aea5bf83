// What becomes of a part of which the receiver names the items that it refuses: those have their fate at
// once, and nothing is searched for.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "forwarders/sender_machine.h"

namespace tideover::forward {
namespace {

std::size_t count(const std::vector<Part>& parts) {
  std::size_t items = 0;
  for (const Part& part : parts) items += part.items();
  return items;
}

// What is named, as items of the batch: sorted, apart, and not touching each other. Empty when some of it is
// not in the part that was sent: who names what is not there may mean anything.
std::vector<Part> places(std::vector<Part> named, const Part& sent) {
  std::sort(named.begin(), named.end(), [](const Part& a, const Part& b) { return a.first < b.first; });
  std::vector<Part> places;
  for (const Part& part : named) {
    if (part.first >= part.last || part.last > sent.items()) return {};
    const Part place{sent.first + part.first, sent.first + part.last};
    if (!places.empty() && place.first <= places.back().last)
      places.back().last = std::max(places.back().last, place.last);
    else
      places.push_back(place);
  }
  return places;
}

}  // namespace

// By its size, since the items are perhaps not counted yet.
bool SenderMachine::stores_the_rest(const Verdict& verdict) const {
  return verdict.rest_stored && !verdict.named.empty() && count(verdict.named) < size_of(stack_.back());
}

Step SenderMachine::refused_by_name(const Verdict& verdict, Time now) {
  last_refusal_ = verdict;
  if (items_ == 0) {
    pending_cut_ = Cut::named;
    return Step::of(Step::Kind::count);
  }
  Slot slot = stack_.back();
  if (slot.part.whole()) slot.part = {0, items_};
  const std::vector<Part> refused = places(verdict.named, slot.part);
  auto unnamed = std::make_shared<Verdict>(verdict);
  unnamed->named.clear();
  // That a single item is refused is all that there is to name.
  if (refused.empty() || slot.part.items() == 1) return refused_unnamed(*unnamed, now);
  twin_failed();
  slot.attempts = 0;
  slot.silent = 0;
  slot.known_bad = false;
  slot.twin_clean = false;
  if (slot.searched) search_.culprit_found();
  if (slot.searched && verdict.rest_stored && count(refused) < slot.part.items()) {
    search_.passed();
    others_pass_ = true;
  }
  replace_top(slot, refused, std::move(unnamed));
  return next(now);
}

Step SenderMachine::refused_unnamed(const Verdict& verdict, Time now) {
  return verdict.action == Action::park ? refused_by_window(verdict, now) : refused(verdict, now);
}

// By what is named of it and what lies between, the oldest on top.
void SenderMachine::replace_top(const Slot& slot, const std::vector<Part>& named,
                                const std::shared_ptr<const Verdict>& why) {
  stack_.pop_back();
  const auto push = [this, &slot](Part part, std::shared_ptr<const Verdict> verdict, bool stored) {
    if (part.first == part.last) return;
    Slot piece = slot;
    piece.part = part;
    piece.named = std::move(verdict);
    piece.stored = stored;
    stack_.push_back(std::move(piece));
  };
  std::size_t end = slot.part.last;
  for (auto part = named.rbegin(); part != named.rend(); ++part) {
    push({part->last, end}, nullptr, why->rest_stored);
    push(*part, why, false);
    end = part->first;
  }
  push({slot.part.first, end}, nullptr, why->rest_stored);
}

// The top was named, or lies beside what was.
Step SenderMachine::settle_judged(Time now) {
  Verdict verdict;
  verdict.action = Action::advance;
  if (stack_.back().stored) return settle_top(Fate::delivered, std::move(verdict));
  verdict = *stack_.back().named;
  if (verdict.probable_duplicate) return settle_top(Fate::delivered, std::move(verdict));
  if (verdict.action == Action::park) return park_top(verdict, now);
  if (verdict.understood) return settle_top(Fate::rejected, std::move(verdict));
  return keep_top(verdict, false, now);
}

}  // namespace tideover::forward
