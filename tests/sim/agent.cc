#include "tests/sim/agent.h"

#include <utility>

#include "wal/base/invariant.h"
#include "wal/record.h"

namespace tideover::sim {
namespace {

// How long an agent that failed to open its store waits before it is started again.
constexpr Duration kRestartDelay = std::chrono::seconds(1);
constexpr Duration kStopTime = std::chrono::seconds(30);

}  // namespace

Agent::Agent(boost::asio::io_context& io, SimClock& clock, Rng rng, Disk& disk, SimNetwork& network,
             const WorkerSpeed& speed, const AgentOptions& options)
    : clock_(clock),
      rng_(rng),
      speed_(speed),
      options_(options),
      store_(disk),
      writer_(clock, [this] { return job_time(); }),
      reader_(clock, [this] { return job_time(); }),
      transport_(network, clock),
      destination_({}),
      queue_(std::make_unique<wal::Queue>(store_, writer_, reader_, clock, options_.limits, wal_metrics_)),
      tasks_(io.get_executor(), clock),
      undertaker_(io.get_executor(), clock) {}

Agent::~Agent() { invariant(ended_, "an agent is stopped before it is destroyed"); }

Duration Agent::job_time() {
  Duration time = std::chrono::duration_cast<Duration>(speed_.commit * rng_.between(0.5, 1.5));
  if (!dead_ && rng_.chance(speed_.stalls))
    time += std::chrono::duration_cast<Duration>(speed_.stall * rng_.unit());
  return time;
}

void Agent::start() { tasks_.spawn(run()); }

awaitable<void> Agent::run() {
  while (!dead_ && !stopping_) {
    const Result<> opened = co_await queue_->open();
    if (opened) break;
    const Time later = clock_.now() + kRestartDelay;
    co_await sleep_until(clock_, later);
  }
  if (dead_ || stopping_) co_return;
  lane_ = queue_->open_lane(kLane, {.max_bytes = options_.lane_bytes_max});
  forward::SenderOptions options;
  options.name = "thanos";
  options.lane_name = kLane;
  options.lane = lane_;
  options.start = wal::StartAt::oldest;
  options.parked_bytes_max = options_.parked_bytes_max;
  options.seed = rng_.next();
  sender_ = std::make_unique<forward::Sender>(*queue_, destination_, transport_, clock_, std::move(options));
  intake_ = std::make_unique<ingest::RemoteWriteIntake>(*queue_, lane_, clock_, intake_metrics_);
  serving_ = true;
  co_await sender_->run();
}

void Agent::post(http::Request request, Source::Answer reply) {
  const std::uint64_t id = ++last_post_;
  posts_.emplace(id, std::move(reply));
  tasks_.spawn(serve(std::move(request), id));
}

awaitable<void> Agent::serve(http::Request request, std::uint64_t id) {
  // As the server does it: from the head alone first, then with the whole body.
  std::optional<http::Response> early = intake_->check(request);
  if (early) {
    answer(id, std::move(early));
    co_return;
  }
  request.body.insert(0, wal::kEnvelopeBytes, '\0');
  http::Response response = co_await intake_->handle(std::move(request));
  if (!dead_ && on_answer) on_answer();
  answer(id, std::move(response));
}

void Agent::answer(std::uint64_t id, std::optional<http::Response> response) {
  const auto post = posts_.find(id);
  if (post == posts_.end()) return;  // died before
  const Source::Answer reply = std::move(post->second);
  posts_.erase(post);
  reply(std::move(response));
}

bool Agent::settled() const {
  const forward::SenderStatus status = sender_->status();
  return status.main.behind.records == 0 && status.parked.behind.records == 0 &&
         status.quarantine.behind.records == 0 && posts_.empty();
}

void Agent::die() {
  if (std::exchange(dead_, true)) return;
  store_.freeze();
  transport_.close();
  while (!posts_.empty()) answer(posts_.begin()->first, std::nullopt);
}

void Agent::stop() {
  if (std::exchange(stopping_, true)) return;
  undertaker_.spawn(shut_down());
}

awaitable<void> Agent::shut_down() {
  if (sender_) sender_->stop();
  co_await queue_->stop();
  const Time deadline = clock_.now() + kStopTime;
  const bool joined = co_await tasks_.join_until(deadline);
  invariant(joined, "a stopped agent ends within its deadline");
  ended_ = true;
}

}  // namespace tideover::sim
