// Runs a SenderMachine against a receiver that is a function, and keeps an account of every item: the driver
// of the machine's tests. No queue, no sockets, no waiting: sleeping moves the clock.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "forwarders/sender_machine.h"

namespace tideover::forward {

inline MachineLimits settled_limits() {
  MachineLimits limits;
  limits.doubtful_batches = 0;  // an agent that has run for a while
  return limits;
}

inline Answer answer(Action action, wal::Reason reason = wal::Reason::bad_request) {
  Answer answer;
  answer.verdict.action = action;
  answer.verdict.reason = reason;
  answer.latency = std::chrono::milliseconds(5);
  answer.bytes = 1000;
  return answer;
}
inline Answer stored() { return answer(Action::advance); }
inline Answer unavailable() {  // 503
  Answer a = answer(Action::retry);
  a.in_doubt = true;
  a.overloaded = true;
  return a;
}
inline Answer server_error() {  // 500
  Answer a = answer(Action::retry);
  a.in_doubt = true;
  return a;
}
inline Answer unreachable() { return answer(Action::retry); }

// Items are numbered through all batches; [first, last) of one request.
struct Sending {
  std::size_t first;
  std::size_t last;
  Step step;
  Time now;
  bool taken = false;  // some of it was stored

  bool holds(std::size_t item) const { return first <= item && item < last; }
  std::size_t items() const { return last - first; }
};

class MachineScript {
 public:
  using Receiver = std::function<Answer(const Sending&)>;

  MachineScript(Role role, MachineLimits limits, std::vector<std::size_t> batches, Receiver receiver,
                std::uint64_t seed = 1)
      : machine(role, limits, seed), batches_(std::move(batches)), receiver_(std::move(receiver)) {
    std::size_t items = 0;
    for (const std::size_t n : batches_) items += n;
    fates.resize(items);
  }

  // Until all batches are acknowledged; fails the test when that takes too many steps.
  void run(std::size_t steps_max = 200'000) {
    while (batch_ < batches_.size()) {
      REQUIRE(steps++ < steps_max);
      perform();
    }
  }
  void run_for(Duration duration) {
    const Time end = now + duration;
    while (now < end && batch_ < batches_.size()) perform();
  }

  std::size_t count(Fate fate) const {
    std::size_t n = 0;
    for (const auto& settled : fates) n += settled.size() == 1 && settled.front() == fate ? 1 : 0;
    return n;
  }
  bool settled_once() const {
    for (const auto& settled : fates)
      if (settled.size() != 1) return false;
    return true;
  }

  SenderMachine machine;
  Time now{std::chrono::hours(1)};
  std::size_t steps = 0;
  std::vector<std::vector<Fate>> fates;  // of every item
  std::vector<Sending> sent;
  std::vector<Verdict> rejections;
  std::vector<Duration> sleeps;
  std::vector<State> states;
  std::uint64_t raw_bytes = 0;       // of each batch
  std::vector<std::size_t> borders;  // of each batch: no request may span one
  bool local_refusals = false;       // what is refused never left
  bool markable = true;              // the queue can make a mark durable
  std::size_t marks_asked = 0;
  std::optional<std::size_t> marked_at;  // requests sent before the last mark

 private:
  void perform() {
    step_ = machine.resume(event_, now);
    if (states.empty() || states.back() != machine.state()) states.push_back(machine.state());
    switch (step_.kind) {
      case Step::Kind::read:
        limits_at_read = machine.request_limits();
        settled_.clear();  // what was not acknowledged does not count
        rejected_.clear();
        event_ = Event::loaded({.units = batches_[batch_], .raw_bytes = raw_bytes, .found_at_start = true});
        return;
      case Step::Kind::count: event_ = Event::counted(batches_[batch_]); return;
      case Step::Kind::mark:
        REQUIRE(marks_asked++ < 100'000);
        if (markable) marked_at = sent.size();
        event_ = markable ? Event::marked() : Event::proceed();
        return;
      case Step::Kind::send: event_ = send(); return;
      case Step::Kind::settle: settle(); return;
      case Step::Kind::ack:
        for (const auto& [item, fate] : settled_) fates[item].push_back(fate);
        settled_.clear();
        rejections.insert(rejections.end(), rejected_.begin(), rejected_.end());
        rejected_.clear();
        base_ += batches_[batch_++];
        if (ahead_delivered_) base_ += batches_[batch_++];
        ahead_delivered_ = false;
        event_ = Event::proceed();
        return;
      case Step::Kind::sleep:
        REQUIRE(step_.until > now);
        sleeps.push_back(step_.until - now);
        now = step_.until;
        event_ = Event::proceed();
        return;
      case Step::Kind::stop: FAIL("nobody asked it to stop");
    }
  }

  Event send() {
    if (step_.ahead && (batch_ + 1 >= batches_.size() || ahead_delivered_)) return Event::empty();
    const std::size_t base = step_.ahead ? base_ + batches_[batch_] : base_;
    const std::size_t whole = batches_[step_.ahead ? batch_ + 1 : batch_];
    const Part part = step_.part.last == kEnd ? Part{0, whole} : step_.part;
    if (!step_.ahead)
      if (auto ends = ends_of_pieces(part); !ends.empty()) return Event::cut(std::move(ends));
    const Sending sending{base + part.first, base + part.last, step_, now, false};
    sent.push_back(sending);
    Answer a = receiver_(sending);
    sent.back().taken = a.verdict.action == Action::advance;
    now += a.latency;
    a.units = local_refusals && !sent.back().taken ? 0 : part.items();
    if (step_.ahead && a.verdict.action == Action::advance && a.verdict.losses.empty()) {
      ahead_delivered_ = true;
      for (std::size_t i = 0; i < whole; ++i) fates[base + i].push_back(Fate::delivered);
    }
    return Event::answered(std::move(a));
  }

  std::vector<std::size_t> ends_of_pieces(Part part) const {
    std::vector<std::size_t> ends;
    for (const std::size_t border : borders)
      if (part.first < border && border < part.last) ends.push_back(border);
    if (!ends.empty()) ends.push_back(part.last);
    return ends;
  }

  void settle() {
    const Part part = step_.part.last == kEnd ? Part{0, batches_[batch_]} : step_.part;
    for (std::size_t i = part.first; i < part.last; ++i) settled_.emplace_back(base_ + i, step_.fate);
    if (step_.fate == Fate::rejected) rejected_.push_back(step_.verdict);
    event_ = Event::proceed();
  }

  std::vector<std::size_t> batches_;
  Receiver receiver_;
  std::size_t batch_ = 0;
  std::size_t base_ = 0;  // first item of the batch in flight
  bool ahead_delivered_ = false;
  Event event_ = Event::proceed();
  Step step_;
  std::vector<std::pair<std::size_t, Fate>> settled_;  // of the batch in flight
  std::vector<Verdict> rejected_;

 public:
  RequestLimits limits_at_read;
};

}  // namespace tideover::forward
