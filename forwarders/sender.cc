#include "forwarders/sender.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "forwarders/lane_sender.h"
#include "forwarders/side_lanes.h"
#include "wal/base/task_group.h"

namespace tideover::forward {
namespace {

// How long a stop waits for the answer to what is in flight; it spares the receiver a repetition.
constexpr Duration kLastAnswerTime = std::chrono::milliseconds(500);

LaneId open_side_lane(wal::Queue& queue, const SenderOptions& options, std::string_view kind,
                      std::uint64_t max_bytes) {
  // Records enter it by acknowledgement only, which never waits for space: its budget is kept by dropping.
  return queue.open_lane(side_lane_name(options.lane_name, kind, options.name),
                         {max_bytes, false, options.memory});
}

bool finds_receiver_up(const LaneSender& sender) {
  const State state = sender.machine().state();
  return state == State::up || state == State::replaying;
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::up: return "up";
    case State::replaying: return "replaying";
    case State::down: return "down";
    case State::paused: return "paused";
    case State::stopped: return "stopped";
  }
  return "unknown";
}

class Sender::Impl {
 public:
  Impl(wal::Queue& queue, const Destination& destination, http::Transport& transport, Clock& clock,
       SenderOptions options)
      : options_(std::move(options)),
        parked_lane_(open_side_lane(queue, options_, kParkedLane, options_.parked_bytes_max)),
        quarantine_lane_(open_side_lane(queue, options_, kQuarantineLane, options_.quarantine_bytes_max)),
        rejects_lane_(open_side_lane(queue, options_, kRejectsLane, options_.rejects_bytes_max)),
        shared_{.queue = queue,
                .destination = destination,
                .transport = transport,
                .clock = clock,
                .name = options_.name,
                .request_time = options_.request_time,
                .parked = parked_lane_,
                .quarantine = quarantine_lane_,
                .rejects = rejects_lane_,
                .parked_bytes_max = options_.parked_bytes_max,
                .quarantine_bytes_max = options_.quarantine_bytes_max,
                .on_refusal = options_.on_refusal},
        main_(shared_, lane_options(Role::main)),
        parked_(shared_, lane_options(Role::parked)),
        quarantine_(shared_, lane_options(Role::quarantine)),
        since_(clock.wall_now()) {
    queue.open_cursor(rejects_lane_, options_.name, wal::Keep::best_effort, wal::StartAt::oldest);
  }

  ~Impl() {
    // A stop after the end, of a sender whose cursor an operator dropped, has left it behind.
    if (last_answer_ != 0) shared_.clock.cancel(last_answer_);
  }

  awaitable<void> run() {
    const auto executor = co_await boost::asio::this_coro::executor;
    TaskGroup lanes(executor, shared_.clock);
    lanes.spawn(main_.run());
    lanes.spawn(parked_.run());
    lanes.spawn(quarantine_.run());
    while (lanes.size() > 0) co_await lanes.join_until(Time::max());
    cut_off();
  }

  void stop() {
    main_.stop();
    parked_.stop();
    quarantine_.stop();
    if (last_answer_ == 0)
      last_answer_ = shared_.clock.call_at(shared_.clock.now() + kLastAnswerTime, [this] {
        last_answer_ = 0;
        shared_.transport.close();
      });
  }

  void retry_now() {
    main_.poke();
    parked_.poke();
    quarantine_.poke();
  }

  SenderStatus status() const {
    SenderStatus s;
    s.state = main_.machine().state();
    s.since = since_;
    s.last_error = shared_.last_error;
    s.last_success = shared_.last_success;
    s.failures = main_.machine().breaker().failures();
    s.in_flight_bytes = shared_.in_flight_bytes;
    s.requests = shared_.requests;
    s.sent_units = shared_.sent_units;
    s.sent_bytes = shared_.sent_bytes;
    s.retries = shared_.retries;
    s.units_per_second = main_.units_per_second();
    s.bytes_per_second_max = main_.machine().pace().bytes_per_s();
    s.downgraded = main_.machine().downgraded();
    s.main = shared_.usage_of(options_.lane);
    s.parked = shared_.usage_of(parked_lane_);
    s.quarantine = shared_.usage_of(quarantine_lane_);
    s.rejects = shared_.usage_of(rejects_lane_).behind;
    if (s.state == State::replaying && s.units_per_second > 0)
      s.eta_seconds = static_cast<double>(s.main.behind.units) / s.units_per_second;
    return s;
  }

 private:
  void cut_off() {
    if (last_answer_ != 0) shared_.clock.cancel(std::exchange(last_answer_, 0));
    shared_.transport.close();
  }

  LaneSender::Options lane_options(Role role) {
    LaneSender::Options o;
    const bool main = role == Role::main;
    o.lane = main ? options_.lane : role == Role::parked ? parked_lane_ : quarantine_lane_;
    const wal::Keep keep = main ? options_.keep : wal::Keep::best_effort;
    const wal::StartAt start = main ? options_.start : wal::StartAt::oldest;
    o.cursor = shared_.queue.open_cursor(o.lane, options_.name, keep, start);
    o.role = role;
    o.limits = options_.machine;
    o.seed = options_.seed + static_cast<std::uint64_t>(role);
    if (!main) o.may_send = [this] { return finds_receiver_up(main_); };
    o.after_step = main ? std::function<void()>([this] { watch_state(); }) : [] {};
    return o;
  }

  void watch_state() {
    const State now = main_.machine().state();
    if (now == state_) return;
    const StateChange change{state_, now,
                             now == State::down || now == State::paused ? shared_.last_error : ""};
    state_ = now;
    since_ = shared_.clock.wall_now();
    if (options_.on_change) options_.on_change(change);
  }

  const SenderOptions options_;
  const LaneId parked_lane_;
  const LaneId quarantine_lane_;
  const LaneId rejects_lane_;
  LaneShared shared_;
  LaneSender main_;
  LaneSender parked_;
  LaneSender quarantine_;
  State state_ = State::up;
  WallTime since_;
  Clock::TimerId last_answer_ = 0;  // once stopped: when no answer is waited for any more
};

Sender::Sender(wal::Queue& queue, const Destination& destination, http::Transport& transport, Clock& clock,
               SenderOptions options)
    : impl_(std::make_unique<Impl>(queue, destination, transport, clock, std::move(options))) {}
Sender::~Sender() = default;

awaitable<void> Sender::run() { return impl_->run(); }
void Sender::stop() { impl_->stop(); }
void Sender::retry_now() { impl_->retry_now(); }
SenderStatus Sender::status() const { return impl_->status(); }

}  // namespace tideover::forward
