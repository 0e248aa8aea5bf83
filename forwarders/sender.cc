#include "forwarders/sender.h"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>
#include <vector>

#include "forwarders/lane_sender.h"
#include "forwarders/lanes.h"
#include "wal/base/task_group.h"

namespace tideover::forward {
namespace {

// How long a stop waits for the answer to what is in flight; it spares the receiver a repetition.
constexpr Duration kLastAnswerTime = std::chrono::milliseconds(500);

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
        lanes_(queue, options_, destination),
        shared_{.queue = queue,
                .destination = destination,
                .transport = transport,
                .clock = clock,
                .name = options_.name,
                .request_time = options_.request_time,
                .lanes = lanes_,
                .on_refusal = options_.on_refusal},
        since_(clock.wall_now()) {
    for (const Lane& lane : lanes_.all())
      senders_.push_back(std::make_unique<LaneSender>(shared_, lane_options(lane)));
  }

  ~Impl() {
    // A stop after the end, of a sender whose cursor an operator dropped, has left it behind.
    if (last_answer_ != 0) shared_.clock.cancel(last_answer_);
  }

  awaitable<void> run() {
    const auto executor = co_await boost::asio::this_coro::executor;
    TaskGroup lanes(executor, shared_.clock);
    for (const auto& sender : senders_) lanes.spawn(sender->run());
    while (lanes.size() > 0) co_await lanes.join_until(Time::max());
    cut_off();
  }

  void stop() {
    for (const auto& sender : senders_) sender->stop();
    if (last_answer_ == 0)
      last_answer_ = shared_.clock.call_at(shared_.clock.now() + kLastAnswerTime, [this] {
        last_answer_ = 0;
        shared_.transport.close();
      });
  }

  void retry_now() {
    for (const auto& sender : senders_) sender->poke();
  }

  SenderStatus status() const {
    SenderStatus s;
    s.state = main().machine().state();
    s.since = since_;
    s.last_error = shared_.last_error;
    s.last_success = shared_.last_success;
    s.failures = main().machine().breaker().failures();
    s.in_flight_bytes = shared_.in_flight_bytes;
    s.requests = shared_.requests;
    s.sent_units = shared_.sent_units;
    s.sent_bytes = shared_.sent_bytes;
    s.retries = shared_.retries;
    s.bytes_per_second_max = main().machine().pace().bytes_per_s();
    s.main = shared_.usage_of(Role::main);
    s.parked = shared_.usage_of(Role::parked);
    s.quarantine = shared_.usage_of(Role::quarantine);
    s.rejects = shared_.usage_of(lanes_.rejects()).behind;
    return s;
  }

 private:
  void cut_off() {
    if (last_answer_ != 0) shared_.clock.cancel(std::exchange(last_answer_, 0));
    shared_.transport.close();
  }

  LaneSender::Options lane_options(const Lane& lane) {
    LaneSender::Options o;
    o.lane = lane;
    o.limits = options_.machine;
    o.seed = options_.seed + static_cast<std::uint64_t>(lane.role);
    o.receiver_is_up = [this] { return finds_receiver_up(main()); };
    o.after_step = lane.role == Role::main ? std::function<void()>([this] { watch_state(); }) : [] {};
    return o;
  }

  const LaneSender& main() const { return *senders_.front(); }

  void watch_state() {
    const State now = main().machine().state();
    if (now == state_) return;
    const StateChange change{state_, now,
                             now == State::down || now == State::paused ? shared_.last_error : ""};
    state_ = now;
    since_ = shared_.clock.wall_now();
    if (options_.on_change) options_.on_change(change);
  }

  const SenderOptions options_;
  const Lanes lanes_;
  LaneShared shared_;
  std::vector<std::unique_ptr<LaneSender>> senders_;  // as lanes_
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
