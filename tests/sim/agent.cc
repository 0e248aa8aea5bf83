#include "tests/sim/agent.h"

#include <algorithm>
#include <utility>

#include "forwarders/detached.h"
#include "forwarders/give_up.h"
#include "forwarders/side_lanes.h"
#include "wal/base/invariant.h"
#include "wal/record.h"

namespace tideover::sim {
namespace {

using namespace std::chrono_literals;

// How long an agent that failed to open its store waits before it is started again.
constexpr Duration kRestartDelay = 1s;
// As agent.cc: requests under way get their answer.
constexpr Duration kIntakeTime = 5s;
constexpr Duration kPoll = 20ms;
constexpr Duration kStopTime = 30s;

}  // namespace

Agent::Agent(boost::asio::io_context& io, SimClock& clock, Rng rng, Disk& disk, const WorkerSpeed& speed,
             const AgentOptions& options, Coverage& coverage, FaultCounts& happened)
    : clock_(clock),
      rng_(rng),
      speed_(speed),
      options_(options),
      coverage_(coverage),
      happened_(happened),
      store_(disk),
      writer_(clock, [this] { return job_time(); }),
      reader_(clock, [this] { return job_time(); }),
      queue_(std::make_unique<wal::Queue>(store_, writer_, reader_, clock, options_.limits, wal_metrics_)),
      tasks_(io.get_executor(), clock),
      undertaker_(io.get_executor(), clock) {}

Agent::~Agent() { invariant(ended_, "an agent is stopped before it is destroyed"); }

Duration Agent::job_time() {
  const auto part = [this](Duration most) {
    return std::chrono::duration_cast<Duration>(most * rng_.unit());
  };
  Duration time = std::chrono::duration_cast<Duration>(speed_.commit * rng_.between(0.5, 1.5));
  if (dead_) return time;
  if (rng_.chance(speed_.stalls)) {
    happened_.add(Fault::job_slow);
    time += part(speed_.stall);
  }
  if (rng_.chance(speed_.sticks)) {
    happened_.add(Fault::job_stuck);
    time += part(speed_.stuck);
  }
  return time;
}

void Agent::start() { tasks_.spawn(run()); }

awaitable<void> Agent::run() {
  while (!dead_ && !stopping_) {
    const Result<> opened = co_await queue_->open();
    if (opened) break;
    coverage_.hit_recovery(Recovery::fault_at_start);
    const Time later = clock_.now() + kRestartDelay;
    co_await sleep_until(clock_, later);
  }
  if (dead_ || stopping_) co_return;
  lane_ = queue_->open_lane(kLane, {.max_bytes = options_.lane_bytes_max});
  open_deliveries();
  intake_ = std::make_unique<ingest::RemoteWriteIntake>(*queue_, lane_, clock_, intake_metrics_);
  serving_ = true;
  if (on_serving) on_serving();
  for (const auto& delivery : deliveries_) tasks_.spawn(delivery->sender->run());
}

void Agent::open_deliveries() {
  for (const DestinationOptions& d : options_.destinations) {
    auto delivery = std::make_unique<Delivery>(*d.network, clock_, options_.external_labels, coverage_);
    forward::SenderOptions options;
    options.name = d.name;
    options.lane_name = kLane;
    options.lane = lane_;
    options.keep = d.required ? wal::Keep::required : wal::Keep::best_effort;
    options.start = d.start;
    options.parked_bytes_max = options_.parked_bytes_max;
    options.quarantine_bytes_max = options_.quarantine_bytes_max;
    options.rejects_bytes_max = options_.rejects_bytes_max;
    options.machine.request.units = options_.request_samples_max;
    options.seed = rng_.next();
    options.on_change = [this](const forward::StateChange& change) { coverage_.hit(change.to); };
    coverage_.hit(options.keep);
    coverage_.hit(options.start);
    coverage_.hit(forward::State::up);  // as every sender begins
    delivery->sender = std::make_unique<forward::Sender>(*queue_, delivery->destination, delivery->transport,
                                                         clock_, std::move(options));
    deliveries_.push_back(std::move(delivery));
  }
  freeze_detached();
}

void Agent::freeze_detached() {
  forward::SenderOptions bounds;
  bounds.parked_bytes_max = options_.parked_bytes_max;
  bounds.quarantine_bytes_max = options_.quarantine_bytes_max;
  bounds.rejects_bytes_max = options_.rejects_bytes_max;
  std::vector<std::string> configured;
  for (const DestinationOptions& d : options_.destinations) configured.push_back(d.name);
  for (const forward::Detached& gone : forward::detached(*queue_, kLane, lane_, configured))
    forward::freeze(*queue_, kLane, lane_, gone, bounds);
  forward::give_up_empty(*queue_, kLane, lane_, configured);
}

void Agent::post(http::Request request, Source::Answer reply) {
  const std::uint64_t id = ++last_post_;
  posts_.emplace(id, Post{std::move(reply), clock_.now()});
  tasks_.spawn(serve(std::move(request), id));
}

void Agent::note_refusal(std::uint64_t bytes) {
  if (const auto refusal = queue_->refusal(lane_, bytes)) coverage_.hit_refusal(refusal->code);
}

awaitable<void> Agent::serve(http::Request request, std::uint64_t id) {
  // As the server does it: from the head alone first, then with the whole body.
  note_refusal(request.body.size());
  std::optional<http::Response> early = intake_->check(request);
  if (early) {
    answer(id, std::move(early));
    co_return;
  }
  request.body.insert(0, wal::kEnvelopeBytes, '\0');
  http::Response response = co_await intake_->handle(std::move(request));
  if (response.status == 503) note_refusal(0);
  if (!dead_ && on_answer) on_answer();
  answer(id, std::move(response));
}

void Agent::answer(std::uint64_t id, std::optional<http::Response> response) {
  const auto post = posts_.find(id);
  if (post == posts_.end()) return;  // died before
  const Source::Answer reply = std::move(post->second.answer);
  posts_.erase(post);
  reply(std::move(response));
}

std::optional<Time> Agent::oldest_post() const {
  if (posts_.empty()) return std::nullopt;
  return posts_.begin()->second.since;
}

bool Agent::settled() const {
  if (!posts_.empty()) return false;
  const bool nothing_behind = std::all_of(deliveries_.begin(), deliveries_.end(), [](const auto& delivery) {
    const forward::SenderStatus status = delivery->sender->status();
    return status.main.behind.records == 0 && status.parked.behind.records == 0 &&
           status.quarantine.behind.records == 0;
  });
  return nothing_behind && !anything_between_lanes();
}

// What is set aside while a commit hangs is behind no cursor yet.
bool Agent::anything_between_lanes() const {
  for (const DestinationOptions& destination : options_.destinations)
    for (const std::string_view kind : forward::kSideLanes) {
      const LaneId lane = wal::lane_id(forward::side_lane_name(kLane, kind, destination.name));
      if (queue_->usage(lane).pending_units > 0) return true;
    }
  return false;
}

void Agent::retry_now() {
  for (const auto& delivery : deliveries_) delivery->sender->retry_now();
}

Result<> Agent::give_up(std::string_view destination) {
  return forward::give_up_destination(*queue_, kLane, destination);
}

void Agent::die() {
  if (std::exchange(dead_, true)) return;
  store_.freeze();
  for (const auto& delivery : deliveries_) delivery->transport.close();
  while (!posts_.empty()) answer(posts_.begin()->first, std::nullopt);
  writer_.hurry();
  reader_.hurry();
}

void Agent::stop() {
  if (std::exchange(stopping_, true)) return;
  undertaker_.spawn(shut_down());
}

awaitable<void> Agent::shut_down() {
  const Time patience = clock_.now() + kIntakeTime;
  while (!posts_.empty() && clock_.now() < patience) {
    const Time later = clock_.now() + kPoll;
    co_await sleep_until(clock_, later);
  }
  for (const auto& delivery : deliveries_) delivery->sender->stop();
  co_await queue_->stop();
  const Time deadline = clock_.now() + kStopTime;
  const bool joined = co_await tasks_.join_until(deadline);
  invariant(joined, "a stopped agent ends within its deadline");
  note_life();
  ended_ = true;
}

// What this life reached, of what only its own figures tell.
void Agent::note_life() {
  coverage_.hit(intake_metrics_);
  for (const auto& delivery : deliveries_) {
    coverage_.hit(forward::State::stopped);
    coverage_.hit(delivery->sender->status());
  }
  if (wal_metrics_.commit_failures > 0) coverage_.hit_recovery(Recovery::fault);
  if (wal_metrics_.reopens > 0) coverage_.hit_recovery(Recovery::reopened);
}

}  // namespace tideover::sim
