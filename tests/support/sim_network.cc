#include "tests/support/sim_network.h"

#include <optional>
#include <utility>

namespace tideover::sim {

Duration SimNetwork::latency() {
  return std::chrono::duration_cast<Duration>(weather_.latency * rng_.between(0.5, 1.5));
}

void SimNetwork::carry(http::Request request, Reply reply) {
  const Duration there = latency();
  const Duration back = latency();
  const auto refuse = [reply] { reply(fail(Errc::connect_failed, "the simulated network refused")); };
  const auto reset = [reply] { reply(fail(Errc::connection_lost, "the simulated network reset")); };

  switch (link_) {
    case Link::up: break;
    case Link::refusing: return after(there, refuse);
    case Link::black_hole: return;
    case Link::resetting: return after(there, reset);
  }
  if (rng_.chance(weather_.refused)) return after(there, refuse);
  if (rng_.chance(weather_.reset_before)) return after(there, reset);

  const bool broken = rng_.chance(weather_.reset_after);
  const bool lost = rng_.chance(weather_.reply_lost);
  const double slowness = rng_.chance(weather_.slow) ? rng_.unit() : 0.0;
  const Duration arrival = there + std::chrono::duration_cast<Duration>(weather_.slow_by * slowness);
  auto arrive = [this, request = std::move(request), reply, reset, back, broken, lost] {
    http::Response response = receiver_(request);
    if (on_act) on_act();
    if (lost) return;
    if (broken) return after(back, reset);
    after(back, [reply, response = std::move(response)] { reply(response); });
  };
  after(arrival, std::move(arrive));
}

struct SimTransport::Exchange {
  explicit Exchange(Clock& clock) : wake(clock) {}
  Notifier wake;
  std::optional<Result<http::Response>> answer;
};

awaitable<Result<http::Response>> SimTransport::send(http::Request request, Time deadline) {
  if (closed_) co_return fail(Errc::stopping, "the transport is closed");
  // Shared with the network for as long as this coroutine waits; afterwards an answer finds nobody.
  auto exchange = std::make_shared<Exchange>(clock_);
  const std::uint64_t id = ++last_;
  open_.emplace(id, exchange.get());
  auto reply = [weak = std::weak_ptr<Exchange>(exchange)](Result<http::Response> answer) {
    const auto waiting = weak.lock();
    if (!waiting || waiting->answer) return;
    waiting->answer = std::move(answer);
    waiting->wake.notify();
  };
  network_.carry(std::move(request), std::move(reply));
  const bool woken = co_await exchange->wake.wait_until(deadline);
  open_.erase(id);
  if (!woken) co_return fail(Errc::timeout, "no answer before the deadline");
  co_return std::move(*exchange->answer);
}

void SimTransport::close() {
  closed_ = true;
  for (const auto& [id, exchange] : open_) {
    if (exchange->answer) continue;
    exchange->answer = fail(Errc::stopping, "the transport is closed");
    exchange->wake.notify();
  }
}

}  // namespace tideover::sim
