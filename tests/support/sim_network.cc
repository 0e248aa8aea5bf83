#include "tests/support/sim_network.h"

#include <optional>
#include <utility>

namespace tideover::sim {

Duration SimNetwork::latency() {
  return std::chrono::duration_cast<Duration>(weather_.latency * rng_.between(0.5, 1.5));
}

Duration SimNetwork::on_the_line(const http::Request& request) {
  if (!line_.narrow()) return {};
  happened_.add(Fault::line_narrow);
  const std::uint64_t lost_before = line_.packets_lost();
  const Duration time = line_.carry(clock_.now(), request.body.size());
  if (line_.packets_lost() > lost_before) happened_.add(Fault::packet_lost);
  return time;
}

bool SimNetwork::befalls(double often, Fault fault) {
  if (!rng_.chance(often)) return false;
  happened_.add(fault);
  return true;
}

void SimNetwork::move(int status) {
  ++address_;
  left_behind_ = status;
}

void SimNetwork::carry(std::uint64_t address, http::Request request, Reply reply) {
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

  if (address != address_) {
    happened_.add(Fault::old_address_answers);
    const http::Response nobody{.status = left_behind_, .headers = {}, .body = "no upstream"};
    return after(there + latency(), [reply, nobody] { reply(nobody); });
  }
  Duration arrival = there + on_the_line(request);
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
  Duration back = latency() + line_.back();
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
  if (connected_to_ == 0) connected_to_ = network_.address();
  const std::uint64_t address = connected_to_;
  network_.carry(address, std::move(request), std::move(reply));
  const bool woken = co_await exchange->wake.wait_until(deadline);
  open_.erase(id);
  if (!woken) exchange->answer = fail(Errc::timeout, "no answer before the deadline");
  note(address, *exchange->answer);
  co_return std::move(*exchange->answer);
}

void SimTransport::note(std::uint64_t address, const Result<http::Response>& answer) {
  const boost::asio::ip::tcp::endpoint at(boost::asio::ip::address_v4::loopback(),
                                          static_cast<std::uint16_t>(address));
  const bool leave = answer.has_error() || addresses_.answered(at, answer->status);
  if (leave && address == connected_to_) connected_to_ = 0;
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
