#include "agent/admin/progress.h"

#include <algorithm>

namespace tideover::admin {
namespace {

constexpr Duration kWindow = std::chrono::seconds(60);
// A shorter look at a flow says little about its end.
constexpr Duration kLeast = std::chrono::seconds(6);

double rate(std::uint64_t from, std::uint64_t to, Duration elapsed) {
  return static_cast<double>(to - from) / std::chrono::duration<double>(elapsed).count();
}

}  // namespace

void Progress::observe(Time now, const Look& look) {
  const bool less =
      !marks_.empty() && (look.accepted < marks_.back().accepted || look.answered < marks_.back().answered);
  if (less) marks_.clear();  // the store has lost some to damage
  if (look.flowing && !flowing_) flowing_since_ = now;
  flowing_ = look.flowing;
  marks_.push_back({now, look.accepted, look.answered});
  while (marks_.size() > 2 && marks_[1].at <= now - kWindow) marks_.pop_front();
}

const Progress::Mark& Progress::began() const {
  return *std::ranges::find_if(
      marks_, [this](const Mark& mark) { return mark.at >= flowing_since_ || &mark == &marks_.back(); });
}

double Progress::samples_per_second() const {
  if (!flowing_ || marks_.empty()) return 0;
  const Mark begin = began();
  if (begin.at == marks_.back().at) return 0;
  // Large requests, and scrapes, are answered in steps. Counted from one step to another: a step more or less
  // in the minute would be a sixth of the pace.
  const Mark& now = marks_.back();
  const Mark* first = nullptr;
  const Mark* last = nullptr;
  Duration longest{};
  for (std::size_t i = 1; i < marks_.size(); ++i) {
    if (marks_[i - 1].at < begin.at || marks_[i].answered == marks_[i - 1].answered) continue;
    if (last != nullptr) longest = std::max(longest, marks_[i].at - last->at);
    if (first == nullptr) first = &marks_[i];
    last = &marks_[i];
  }
  if (first == last) return rate(begin.answered, now.answered, now.at - begin.at);
  const Duration overdue = std::max(now.at - last->at - longest, Duration{});
  return rate(first->answered, last->answered, last->at - first->at + overdue);
}

std::optional<double> Progress::eta_seconds(std::uint64_t waiting) const {
  if (!flowing_ || marks_.empty() || marks_.back().at - began().at < kLeast) return std::nullopt;
  const Mark& first = marks_.front();  // what comes in does not depend on the receiver
  const double in = rate(first.accepted, marks_.back().accepted, marks_.back().at - first.at);
  const double net = samples_per_second() - in;
  if (net <= 0) return std::nullopt;
  return static_cast<double>(waiting) / net;
}

}  // namespace tideover::admin
