#include "forwarders/exchange.h"

#include <fmt/core.h>
#include <utility>

#include "forwarders/answers.h"

namespace tideover::forward {
namespace {

std::string class_of(const Result<http::Response>& answer) {
  return answer.has_value() ? fmt::format("{}xx", answer->status / 100) : "network";
}

// As if the receiver had refused it: halves are tried.
Answer not_made(const Error& error) {
  const bool too_large = error.code == Errc::too_large;
  Answer refused;
  refused.verdict.action = too_large ? Action::halve : Action::bisect;
  refused.verdict.reason = too_large ? wal::Reason::too_large : wal::Reason::bad_request;
  refused.verdict.sentence = error.detail;
  return refused;
}

}  // namespace

awaitable<Result<Exchange::Outcome>> Exchange::carry(Load& load, const Step& step) {
  Result<Outgoing> encoded = load.encode(step.part, step.retry, shared_.memory);
  Outcome outcome;
  if (encoded.has_error()) {
    outcome.answer = not_made(encoded.error());
    co_return outcome;
  }
  Outgoing out = std::move(*encoded);
  const std::uint64_t bytes = out.request.body.size();
  shared_.in_flight_bytes += bytes;
  shared_.sent_bytes += bytes;
  if (step.retry > 0) ++shared_.retries;

  const Time begun = shared_.clock.now();
  inflow_.accepted(begun, shared_.queue.usage(lane_).accepted.units);
  inflow_.sent(bytes, out.sent.units);
  const Time deadline = begun + shared_.request_time;
  const auto response = co_await shared_.transport.send(std::move(out.request), deadline);
  shared_.in_flight_bytes -= bytes;
  if (response.has_error() && response.error().code == Errc::stopping) co_return response.error();

  Answer& answer = outcome.answer;
  answer.verdict = judge(out.sent, response, step);
  answer.in_doubt = leaves_in_doubt(response);
  answer.silent = response.has_error();
  answer.overloaded = tells_overload(response);
  answer.latency = shared_.clock.now() - begun;
  answer.bytes = bytes;
  answer.units = out.sent.units;
  shared_.destination.learn(out.sent, answer.verdict, shared_.memory, shared_.clock.now());
  note(out.sent.units, response, answer.verdict);
  outcome.beside = out.beside;
  co_return outcome;
}

Verdict Exchange::judge(const Sent& sent, const Result<http::Response>& response, const Step& step) const {
  History history;
  history.in_doubt = step.in_doubt;
  history.divisible = step.divisible;
  history.side = role_ != Role::main;
  history.overtaken = step.overtaken || history.side;
  return shared_.destination.classify(sent, response, history, shared_.memory);
}

void Exchange::note(std::uint64_t units, const Result<http::Response>& response, const Verdict& verdict) {
  ++shared_.requests[class_of(response)];
  if (verdict.action != Action::advance) {
    shared_.last_error = verdict.sentence;
    return;
  }
  shared_.last_success = shared_.clock.wall_now();
  shared_.sent_units += units;
}

}  // namespace tideover::forward
