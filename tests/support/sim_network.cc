#include "tests/support/sim_network.h"

#include <optional>
#include <utility>

namespace tideover::sim {

Duration SimNetwork::latency() {
  return std::chrono::duration_cast<Duration>(weather_.latency * rng_.between(0.5, 1.5));
}

bool SimNetwork::befalls(double often, Fault fault) {
  if (!rng_.chance(often)) return false;
  happened_.add(fault);
  return true;
}

void SimNetwork::carry(http::Request request, Reply reply) {
  last_request_ = clock_.now();
  const Duration there = latency();
  const auto refuse = [reply] { reply(fail(Errc::connect_failed, "the simulated network refused")); };
  const auto reset = [reply] { reply(fail(Errc::connection_lost, "the simulated network reset")); };

  switch (link_) {
    case Link::up: break;
    case Link::refusing: happened_.add(Fault::link_refuses); return after(there, refuse);
    case Link::black_hole: happened_.add(Fault::link_swallows); return;
    case Link::resetting: happened_.add(Fault::link_resets); return after(there, reset);
  }
  if (befalls(weather_.refused, Fault::refused)) return after(there, refuse);
  if (befalls(weather_.reset_before, Fault::reset_before)) return after(there, reset);

  Duration arrival = there;
  if (befalls(weather_.slow, Fault::request_late))
    arrival += std::chrono::duration_cast<Duration>(weather_.slow_by * rng_.unit());
  const bool twice = befalls(weather_.request_twice, Fault::request_twice);
  const bool second_answers = twice && rng_.chance(0.5);
  auto arrive = [this, request = std::move(request), reply = std::move(reply), twice, second_answers] {
    const http::Response first = receiver_(request);
    if (on_act) on_act();
    if (!second_answers) answer(first, reply);
    if (!twice) return;
    after(latency(), [this, request, reply, second_answers] {
      const http::Response second = receiver_(request);
      if (second_answers) answer(second, reply);
    });
  };
  after(arrival, std::move(arrive));
}

// The way back. What breaks off is an error to the reader, wherever it does so: in the status line, in the
// headers, or in the body that a length was declared for.
void SimNetwork::answer(const http::Response& response, const Reply& reply) {
  if (response.status == 0) return;  // it never answers
  if (befalls(weather_.reply_lost, Fault::reply_lost)) return;
  Duration back = latency();
  const auto deliver = [this, &reply](Duration delay, Result<http::Response> what) {
    after(delay, [reply, what = std::move(what)] { reply(what); });
  };
  if (befalls(weather_.reset_after, Fault::reset_after))
    return deliver(back, fail(Errc::connection_lost, "the simulated network reset"));
  if (befalls(weather_.reply_truncated, Fault::reply_truncated))
    return deliver(back, fail(Errc::connection_lost, "the peer closed it in the middle of its answer"));
  if (befalls(weather_.reply_garbled, Fault::reply_garbled))
    return deliver(back, rng_.chance(0.5) ? fail(Errc::bad_input, "the answer is not HTTP")
                                          : fail(Errc::too_large, "the answer's head is too long"));
  if (befalls(weather_.reply_late, Fault::reply_late))
    back += std::chrono::duration_cast<Duration>(weather_.slow_by * rng_.unit());
  deliver(back, response);
  if (befalls(weather_.reply_twice, Fault::reply_twice)) deliver(back + latency(), response);
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
