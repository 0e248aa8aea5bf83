#include "forwarders/lane_sender.h"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

#include "forwarders/answers.h"
#include "forwarders/reject_record.h"
#include "forwarders/side_lanes.h"
#include "wal/base/invariant.h"

namespace tideover::forward {
namespace {

// One read feeds several requests; large enough to merge a full one, small enough to hold twice.
constexpr std::uint64_t kReadBytes = 1 << 20;
// A wait for records ends now and then by itself, so that nothing depends on a wake-up alone.
constexpr Duration kIdleWait = std::chrono::seconds(60);
// After a lull, what comes within this time goes out in one request: a lone record costs the agent and the
// receiver nearly as much as a full request does.
constexpr Duration kGatherTime = std::chrono::milliseconds(20);
constexpr Duration kQueueFaultWait = std::chrono::seconds(1);
// Side lanes look again whether the receiver is up.
constexpr Duration kGateWait = std::chrono::seconds(10);
// Records this old that are found at a start are a backlog: they are replayed gently.
constexpr std::int64_t kOldMs = 30'000;

bool begins_run(const wal::StoredRecord& record) { return (record.attributes.flags & kOvertaken) != 0; }

std::string class_of(const Result<http::Response>& answer) {
  return answer.has_value() ? fmt::format("{}xx", answer->status / 100) : "network";
}

}  // namespace

LaneSender::LaneSender(LaneSenderShared& shared, Options options)
    : shared_(shared),
      options_(std::move(options)),
      machine_(options_.role, machine_limits(), options_.seed),
      wake_(shared.clock) {}

MachineLimits LaneSender::machine_limits() {
  MachineLimits limits = options_.limits;
  limits.pace.inflow_bytes_per_s = [this] { return inflow_.bytes_per_s(); };
  return limits;
}

awaitable<void> LaneSender::run() {
  const wal::CursorUsage found = usage_of(options_.lane);
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
  shared_.queue.interrupt(options_.cursor);
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
    case Step::Kind::settle: settle(step); co_return Event::proceed();
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

// ---- reading ----

// What the receiver takes, and what the line carries in good time: several records that together are too much
// for a slow line are sent one after the other.
RequestLimits LaneSender::request_limits() const {
  RequestLimits limits = machine_.request_limits();
  const std::uint64_t bytes = machine_.pace().comfortable_bytes();
  const double weight = inflow_.bytes_per_unit();
  if (weight > 0)
    limits.units =
        std::min(limits.units, static_cast<std::uint64_t>(static_cast<double>(bytes) / weight) + 1);
  else  // the first request: what it will weigh is not known, but no more than this
    limits.raw_bytes = std::min(limits.raw_bytes, bytes);
  return limits;
}

std::size_t LaneSender::planned(std::span<const wal::StoredRecord> records) const {
  if (records.empty()) return 0;
  // A gap is a damaged record, which may have begun a run.
  const bool side = options_.role != Role::main;
  const auto breaks = [side](const wal::StoredRecord& before, const wal::StoredRecord& record) {
    return side && (begins_run(record) || record.seq != next(before.seq));
  };
  const auto last = std::adjacent_find(records.begin(), records.end(), breaks);
  const auto next_run = last == records.end() ? last : last + 1;
  return shared_.destination.plan(records.first(static_cast<std::size_t>(next_run - records.begin())),
                                  request_limits());
}

Seq LaneSender::end_of(std::size_t records) const {
  return records == at_hand().size() ? window_end_ : next(at_hand()[records - 1].seq);
}

wal::CursorUsage LaneSender::usage_of(LaneId lane) const {
  for (wal::CursorUsage& usage : shared_.queue.cursors(lane))
    if (usage.name == shared_.name) return std::move(usage);
  return {};
}

// True when the window was filled anew; what it held is in the queue and is read again.
awaitable<bool> LaneSender::refill(std::uint64_t max_bytes) {
  window_.clear();
  front_ = 0;
  auto batch = co_await shared_.queue.read(options_.cursor, max_bytes);
  if (batch.has_error()) {
    // An operator dropped the cursor, or the agent ends: there is nothing left to do here.
    if (batch.error().code == Errc::stopping || batch.error().code == Errc::not_found) stopping_ = true;
    if (stopping_) co_return false;
    const Time later = shared_.clock.now() + kQueueFaultWait;
    co_await sleep(later);
    co_return false;
  }
  window_ = std::move(batch->records);
  window_end_ = batch->next;
  forfeited_ = false;
  if (window_.empty() && batch->first < batch->next) {  // all damaged: the queue counts it
    wal::Ack ack;
    ack.upto = batch->next;
    shared_.queue.ack(options_.cursor, std::move(ack));
  }
  co_return true;
}

awaitable<Event> LaneSender::read() {
  // A request that would use up the window may take more: read again, unless this is all there is.
  const std::size_t ready = planned(at_hand());
  if (ready > 0 && ready < at_hand().size()) co_return begin_batch(ready);
  if (std::exchange(drained_, false)) {
    const Time deadline = shared_.clock.now() + kIdleWait;
    co_await shared_.queue.wait_readable(options_.cursor, deadline);
    const Time gathered = shared_.clock.now() + kGatherTime;
    co_await sleep(gathered);
  }
  if (stopping_) co_return Event::stop();
  const bool filled = co_await refill(kReadBytes);
  if (!filled) co_return Event::proceed();
  if (window_.empty()) {
    drained_ = true;
    co_return Event::empty();
  }
  co_return begin_batch(planned(at_hand()));
}

Event LaneSender::begin_batch(std::size_t records) {
  invariant(records > 0 && records <= at_hand().size(), "a batch is made of records that were read");
  const auto batch = at_hand().first(records);
  const bool found_at_start = batch.front().seq < found_at_start_;
  if (found_at_start && !replay_noted_) {
    replay_noted_ = true;
    const std::int64_t age_ms = to_unix_ms(shared_.clock.wall_now()) - batch.front().attributes.arrival_ms;
    if (age_ms > kOldMs) machine_.begin_replay(shared_.clock.now());
  }
  load_ = shared_.destination.load({batch.begin(), batch.end()});
  batch_records_ = records;
  batch_units_ = load_->units();
  ack_ = {};
  ack_.upto = end_of(records);
  stripped_.clear();
  Loaded loaded;
  loaded.units = batch_units_;
  for (const wal::StoredRecord& record : batch) loaded.raw_bytes += record.attributes.raw_bytes;
  loaded.found_at_start = found_at_start;
  loaded.repeated = batch.front().seq < repeated_before_;
  loaded.overtaken = batch.front().seq < overtaken_before_;
  loaded.remembered = !(overtaken_before_ < ack_.upto);
  loaded.beyond_round = !(batch.front().seq < round_end_);
  // The first of a round is loaded before the round begins.
  if (loaded.beyond_round || begins_run(batch.front()) || batch.front().seq != upto_) run_begins_ = true;
  return Event::loaded(loaded);
}

// ---- sending ----

awaitable<Event> LaneSender::send(Step step) {
  // While the main lane probes, the side lanes leave the receiver alone.
  while (options_.may_send && !stopping_) {
    const bool up = options_.may_send();
    if (up) break;
    const Time later = shared_.clock.now() + kGateWait;
    co_await sleep(later);
  }
  if (stopping_) co_return Event::stop();
  const Seq not_ahead{};
  Event event = co_await transmit(std::move(step), load_.get(), not_ahead);
  co_return event;
}

awaitable<Event> LaneSender::mark() {
  const Seq before = end_of(batch_records_);
  const Result<> durable = co_await shared_.queue.mark_overtaken(options_.cursor, before);
  if (durable.has_error()) co_return Event::proceed();
  overtaken_before_ = std::max(overtaken_before_, before);
  co_return Event::marked();
}

// The batch behind the one in flight, while that one stands still: is the receiver well otherwise?
awaitable<Event> LaneSender::send_ahead(Step step) {
  if (ack_.upto != end_of(batch_records_)) co_return Event::empty();  // one was sent ahead already
  if (at_hand().size() == batch_records_) {
    const bool more = co_await extend_window();
    if (!more) co_return Event::empty();
  }
  const auto rest = at_hand().subspan(batch_records_);
  const std::size_t records = planned(rest);
  if (records == 0 || stopping_) co_return Event::empty();
  const std::unique_ptr<Load> ahead =
      shared_.destination.load({rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(records)});
  const Seq upto = end_of(batch_records_ + records);
  Event event = co_await transmit(std::move(step), ahead.get(), upto);
  co_return event;
}

// Reads the batch in flight again, and what is behind it.
awaitable<bool> LaneSender::extend_window() {
  const std::vector<wal::StoredRecord> held(at_hand().begin(), at_hand().end());
  const Seq held_end = window_end_;
  std::uint64_t bytes = kReadBytes;
  for (const wal::StoredRecord& record : held) bytes += record.bytes->size();
  const bool filled = co_await refill(bytes);
  const bool covers = filled && window_.size() >= held.size() && window_.front().seq == held.front().seq &&
                      window_[held.size() - 1].seq == held.back().seq;
  if (covers) {
    ack_.upto = end_of(batch_records_);
    co_return true;
  }
  // The queue forgot the borders of the batch in flight, or has dropped some of it to keep a budget. A later
  // look that fails does not bring them back.
  window_ = held;
  window_end_ = held_end;
  forfeited_ = forfeited_ || filled;
  co_return false;
}

awaitable<Event> LaneSender::transmit(Step step, Load* load, Seq ahead_upto) {
  EncodeOptions encode;
  encode.retry = step.retry;
  encode.downgraded = machine_.downgraded();
  Result<Outgoing> encoded = load->encode(step.part, encode);
  if (encoded.has_error()) {  // as if the receiver had refused it: halves are tried
    const bool too_large = encoded.error().code == Errc::too_large;
    Answer refused;
    refused.verdict.action = too_large ? Action::halve : Action::bisect;
    refused.verdict.reason = too_large ? wal::Reason::too_large : wal::Reason::bad_request;
    refused.verdict.sentence = encoded.error().detail;
    co_return Event::answered(std::move(refused));
  }
  Outgoing out = std::move(*encoded);
  const std::uint64_t bytes = out.request.body.size();
  shared_.in_flight_bytes += bytes;
  shared_.sent_bytes += bytes;
  if (step.retry > 0) ++shared_.retries;

  const Time begun = shared_.clock.now();
  inflow_.accepted(begun, shared_.queue.usage(options_.lane).accepted.units);
  inflow_.sent(bytes, out.sent.units);
  const Time deadline = begun + shared_.request_time;
  const auto response = co_await shared_.transport.send(std::move(out.request), deadline);
  shared_.in_flight_bytes -= bytes;
  if (response.has_error() && response.error().code == Errc::stopping) {
    stopping_ = true;
    co_return Event::stop();
  }

  History history;
  history.in_doubt = step.in_doubt;
  history.divisible = step.divisible;
  history.side = options_.role != Role::main;
  history.overtaken = step.overtaken || history.side;
  history.version_works = shared_.version_works[out.sent.encoding];
  Answer answer;
  answer.verdict = shared_.destination.classify(out.sent, response, history);
  answer.in_doubt = leaves_in_doubt(response);
  answer.silent = response.has_error();
  answer.overloaded = tells_overload(response);
  answer.latency = shared_.clock.now() - begun;
  answer.bytes = bytes;
  answer.units = out.sent.units;
  if (options_.role == Role::main)
    machine_.allow_parking(usage_of(shared_.parked).behind.bytes < shared_.parked_bytes_max / 2);
  if (answer.in_doubt)
    machine_.allow_quarantine(usage_of(shared_.quarantine).behind.bytes < shared_.quarantine_bytes_max / 2);

  ++shared_.requests[class_of(response)];
  if (answer.verdict.action == Action::advance) {
    shared_.version_works[out.sent.encoding] = true;
    shared_.last_success = shared_.clock.wall_now();
    shared_.sent_units += out.sent.units;
    if (ahead_upto == Seq{}) {
      stripped_[step.part.first] = out.sent.stripped;
    } else if (answer.verdict.losses.empty()) {
      ack_.upto = ahead_upto;  // settled with the batch before it
      ack_.stripped += out.sent.stripped;
      ack_.under_reported += answer.verdict.under_reported;
      batch_units_ += out.sent.units;
    }
  } else {
    shared_.last_error = answer.verdict.sentence;
  }
  co_return Event::answered(std::move(answer));
}

// ---- settling ----

void LaneSender::settle(const Step& step) {
  const Part part = step.part;
  const Verdict& verdict = step.verdict;
  switch (step.fate) {
    case Fate::delivered:
      for (const Loss& loss : verdict.losses) {
        lose(loss.reason, loss.units);
        tell(Fate::rejected, verdict, loss.reason, loss.units);
      }
      if (!verdict.losses.empty()) bury(part, verdict, verdict.losses.front().reason);
      if (verdict.probable_duplicate) ack_.probable_duplicates += load_->units(part);
      ack_.under_reported += verdict.under_reported;
      ack_.stripped += stripped_[part.first];
      return;
    case Fate::rejected:
      lose(verdict.reason, load_->units(part));
      tell(Fate::rejected, verdict, verdict.reason, load_->units(part));
      bury(part, verdict, verdict.reason);
      return;
    case Fate::parked:
      if (options_.role != Role::parked) tell(Fate::parked, verdict, verdict.reason, load_->units(part));
      divert(part, shared_.parked, options_.role == Role::quarantine);
      return;
    case Fate::quarantined:
      if (options_.role != Role::quarantine)
        tell(Fate::quarantined, verdict, verdict.reason, load_->units(part));
      divert(part, shared_.quarantine, true);
      return;
  }
}

void LaneSender::tell(Fate fate, const Verdict& verdict, wal::Reason reason, std::uint64_t units) {
  if (shared_.on_refusal) shared_.on_refusal({fate, reason, units, verdict.sentence});
}

void LaneSender::lose(wal::Reason reason, std::uint64_t units) {
  if (units > 0) ack_.losses.push_back({reason, units});
}

// What goes to quarantine, or comes from there, was overtaken by its neighbours.
void LaneSender::divert(Part part, LaneId to, bool overtaken) {
  for (wal::NewRecord& record : load_->carve(part)) {
    record.attributes.flags = static_cast<std::uint16_t>(record.attributes.flags & ~kOvertaken);
    if (overtaken) record.attributes.flags |= kOvertaken;
    ack_.diverts.push_back({to, std::move(record), true});
  }
}

// What the main lane parks follows what was parked before it, series by series. What is put back to the end
// of its own lane is older than what it is put behind, unless that was put back just before it, and it
// followed that already.
void LaneSender::mark_run() {
  const auto first = std::find_if(ack_.diverts.begin(), ack_.diverts.end(),
                                  [this](const wal::Ack::Divert& d) { return d.to == shared_.parked; });
  if (first == ack_.diverts.end()) return;
  if (options_.role == Role::parked) {
    if (run_begins_ || shared_.parked_last != Role::parked) first->record.attributes.flags |= kOvertaken;
    run_begins_ = false;
  }
  shared_.parked_last = options_.role;
}

// What is in the lane by now has one turn each; what is put back, or comes meanwhile, has its turn in the
// next round.
void LaneSender::begin_round() {
  const wal::CursorUsage usage = usage_of(options_.lane);
  round_end_ = Seq{usage.position.value + usage.behind.records};
}

// A copy for inspection. Where the receiver does not name what it refused, all of the part is kept.
void LaneSender::bury(Part part, const Verdict& verdict, wal::Reason reason) {
  RejectNote note;
  note.reason = wal::to_string(reason);
  note.destination = shared_.name;
  note.refused_ms = to_unix_ms(shared_.clock.wall_now());
  note.item = load_->describe(part);
  note.sentence = verdict.sentence;
  for (const wal::NewRecord& record : load_->carve(part)) {
    note.encoding = record.attributes.encoding;
    note.units = record.attributes.units;
    ack_.diverts.push_back({shared_.rejects, reject_record(note, record), false});
  }
}

// If we crash before the acknowledgement is durable, the batch is sent again in the next life, in doubt.
void LaneSender::acknowledge() {
  const Seq upto = ack_.upto;
  load_.reset();
  if (std::exchange(forfeited_, false)) return take_back(upto);
  mark_run();
  upto_ = upto;
  const bool moved = shared_.queue.ack(options_.cursor, std::move(ack_));
  ack_ = {};
  while (!at_hand().empty() && at_hand().front().seq < upto) window_[front_++].bytes.reset();
  measure(batch_units_);
  // Best-effort data has lost its oldest meanwhile. What is at hand behind that may be sent only once the
  // loss is durable, or a crash would bring back what is older: the queue waits for that before the next
  // read.
  if (!moved) take_back(upto);
}

// What is left of a batch that cannot be acknowledged is read and sent again, though it may have arrived; and
// nothing of it was put back, so that a run that was to begin with it has not begun.
void LaneSender::take_back(Seq upto) {
  window_.clear();
  front_ = 0;
  repeated_before_ = upto;
  run_begins_ = true;
}

void LaneSender::measure(std::uint64_t units) {
  constexpr double kWeight = 0.1;
  const Time now = shared_.clock.now();
  const double elapsed = std::chrono::duration<double>(now - measured_at_).count();
  if (measured_at_ != Time{} && elapsed > 0)
    units_per_second_ += kWeight * (static_cast<double>(units) / elapsed - units_per_second_);
  measured_at_ = now;
}

}  // namespace tideover::forward
