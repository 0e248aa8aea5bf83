#include "forwarders/lane_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tideover::forward {
namespace {

// Side lanes look again whether the receiver is up.
constexpr Duration kGateWait = std::chrono::seconds(10);
// Behind the batch in flight, to find one more.
constexpr std::uint64_t kReadAheadBytes = 1 << 20;

}  // namespace

LaneSender::LaneSender(LaneShared& shared, Options options)
    : shared_(shared),
      options_(std::move(options)),
      exchange_(shared, options_.lane.id, options_.lane.role),
      machine_(options_.lane.role, machine_limits(), options_.seed),
      window_(shared.queue, options_.lane.cursor),
      settlement_(shared, options_.lane.role),
      wake_(shared.clock) {}

MachineLimits LaneSender::machine_limits() {
  MachineLimits limits = options_.limits;
  limits.parks = shared_.lanes.find(Role::parked) != nullptr;
  limits.pace.inflow_bytes_per_s = [this] { return exchange_.inflow().bytes_per_s(); };
  return limits;
}

awaitable<void> LaneSender::run() {
  const wal::CursorUsage found = shared_.usage_of(options_.lane.id);
  found_at_start_ = Seq{found.position.value + found.behind.records};
  overtaken_before_ = found.overtaken_before;
  Event event = Event::proceed();
  while (true) {
    Step step = machine_.resume(event, shared_.clock.now());
    // What has been answered is accounted for before the end: the next life need not send it again.
    const bool accounts = step.kind == Step::Kind::settle || step.kind == Step::Kind::ack;
    if (stopping_ && !accounts) step = machine_.resume(Event::stop(), shared_.clock.now());
    options_.after_step();
    if (step.kind == Step::Kind::stop) co_return;
    Event happened = co_await perform(std::move(step));
    event = std::move(happened);
  }
}

void LaneSender::stop() {
  stopping_ = true;
  wake_.notify();
  shared_.queue.interrupt(options_.lane.cursor);
}

void LaneSender::poke() {
  machine_.poke();
  wake_.notify();
}

awaitable<Event> LaneSender::perform(Step step) {
  switch (step.kind) {
    case Step::Kind::read: {
      Event event = co_await read();
      co_return event;
    }
    case Step::Kind::count: co_return Event::counted(load_->items());
    case Step::Kind::mark: {
      Event event = co_await mark();
      co_return event;
    }
    case Step::Kind::send: {
      if (step.ahead) {
        Event event = co_await send_ahead(std::move(step));
        co_return event;
      }
      Event event = co_await send(std::move(step));
      co_return event;
    }
    case Step::Kind::settle: settlement_.settle(step, *load_); co_return Event::proceed();
    case Step::Kind::ack:
      if (step.begins_round) begin_round();
      acknowledge();
      co_return Event::proceed();
    case Step::Kind::sleep: co_await sleep(step.until); co_return Event::proceed();
    case Step::Kind::stop: break;
  }
  co_return Event::stop();
}

awaitable<void> LaneSender::sleep(Time until) {
  if (!stopping_) co_await wake_.wait_until(until);
}

// ---- sending ----

awaitable<Event> LaneSender::send(Step step) {
  // While the main lane probes, the side lanes leave the receiver alone.
  while (options_.lane.gated && !stopping_) {
    const bool up = options_.receiver_is_up();
    if (up) break;
    const Time later = shared_.clock.now() + kGateWait;
    co_await sleep(later);
  }
  if (stopping_) co_return Event::stop();
  auto borders = load_->borders(step.part, shared_.memory, shared_.clock.now());
  if (!borders.empty()) co_return Event::cut(std::move(borders));
  auto outcome = co_await exchange_.carry(*load_, step);
  if (outcome.has_error()) {
    stopping_ = true;
    co_return Event::stop();
  }
  look_for_room(outcome->answer);
  if (outcome->answer.verdict.action == Action::advance) settlement_.passed(step.part, outcome->beside);
  co_return Event::answered(std::move(outcome->answer));
}

awaitable<Event> LaneSender::mark() {
  const Seq before = window_.end_of(batch_records_);
  const Result<> durable = co_await shared_.queue.mark_overtaken(options_.lane.cursor, before);
  if (durable.has_error()) co_return Event::proceed();
  overtaken_before_ = std::max(overtaken_before_, before);
  co_return Event::marked();
}

// The batch behind the one in flight, while that one stands still: is the receiver well otherwise?
awaitable<Event> LaneSender::send_ahead(Step step) {
  if (settlement_.upto() != window_.end_of(batch_records_)) co_return Event::empty();  // one was sent already
  if (window_.at_hand().size() == batch_records_) {
    const Result<bool> more = co_await window_.extend(kReadAheadBytes);
    if (more.has_error()) co_await wait_after(more.error().code);
    if (more.has_error() || !*more) co_return Event::empty();
    settlement_.end_at(window_.end_of(batch_records_));
  }
  const auto rest = window_.at_hand().subspan(batch_records_);
  const std::size_t records = planned(rest);
  if (records == 0 || stopping_) co_return Event::empty();
  const std::unique_ptr<Load> ahead =
      shared_.destination.load({rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(records)});
  if (!ahead->borders(step.part, shared_.memory, shared_.clock.now()).empty()) co_return Event::empty();
  const Seq upto = window_.end_of(batch_records_ + records);
  auto outcome = co_await exchange_.carry(*ahead, step);
  if (outcome.has_error()) {
    stopping_ = true;
    co_return Event::stop();
  }
  const Verdict& verdict = outcome->answer.verdict;
  look_for_room(outcome->answer);
  if (verdict.action == Action::advance && verdict.losses.empty())
    settlement_.reach(upto, outcome->beside, verdict);
  co_return Event::answered(std::move(outcome->answer));
}

// Whether there is room to set something aside, for what the machine decides about this answer.
void LaneSender::look_for_room(const Answer& answer) {
  if (answer.bytes == 0) return;  // it never left
  const auto has_room = [this](Role role) {
    const Lane* lane = shared_.lanes.find(role);
    return lane != nullptr && lane->has_room(shared_.usage_of(lane->id));
  };
  if (options_.lane.role == Role::main) machine_.allow_parking(has_room(Role::parked));
  if (answer.in_doubt) machine_.allow_quarantine(has_room(Role::quarantine));
}

// ---- settled ----

// If we crash before the acknowledgement is durable, the batch is sent again in the next life, in doubt.
void LaneSender::acknowledge() {
  const Seq upto = settlement_.upto();
  load_.reset();
  if (window_.forfeited()) return take_back(upto);
  const bool moved = shared_.queue.ack(options_.lane.cursor, settlement_.take());
  window_.release(upto);
  // Best-effort data has lost its oldest meanwhile. What is at hand behind that may be sent only once the
  // loss is durable, or a crash would bring back what is older: the queue waits for that before the next
  // read.
  if (!moved) take_back(upto);
}

}  // namespace tideover::forward
