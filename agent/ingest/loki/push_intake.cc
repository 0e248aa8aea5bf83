#include "agent/ingest/loki/push_intake.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "agent/ingest/loki/decode.h"
#include "forwarders/loki/log_record.h"

namespace tideover::ingest::loki {
namespace {

Format format_of(const Body& body) { return body.json ? Format::json : Format::protobuf; }

PushAnswer answer_to(const Error& error) {
  return error.code == Errc::too_large ? PushAnswer::too_large : PushAnswer::undecodable;
}

}  // namespace

LokiPushIntake::LokiPushIntake(wal::Queue& queue, LaneOf lane_of, Clock& clock, const Limits& limits,
                               PushMetrics& metrics)
    : queue_(queue), lane_of_(std::move(lane_of)), clock_(clock), limits_(limits), metrics_(metrics) {}

http::Response LokiPushIntake::answer(Format format, PushAnswer kind, std::string sentence) const {
  ++metrics_.requests[static_cast<std::size_t>(format)][static_cast<std::size_t>(kind)];
  http::Response response;
  response.status = status_of(kind);
  if (!sentence.empty()) {
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(sentence) + "\n";
  }
  return response;
}

http::Response LokiPushIntake::turn_away(Format format, Error error, std::uint64_t record_bytes) const {
  if (error.code == Errc::too_large)  // it never fits: to ask for it again would ask for ever
    return answer(format, PushAnswer::too_large, std::move(error.detail));
  metrics_.refused.note(record_bytes, clock_.now());
  http::Response response = answer(format, PushAnswer::refused, std::move(error.detail));
  const bool soon = error.code == Errc::unavailable || error.code == Errc::stopping;
  response.headers.add("Retry-After", soon ? "1" : "5");
  return response;
}

std::optional<http::Response> LokiPushIntake::read(const http::Request& request, Head& head) const {
  const Result<Body> body = body_of(request.headers);
  if (!body) return answer(Format::unknown, PushAnswer::undecodable, body.error().detail);
  head.body = *body;
  const Result<std::string_view> tenant = tenant_of(request.headers);
  if (!tenant) return answer(format_of(*body), PushAnswer::undecodable, tenant.error().detail);
  const Result<LaneId> lane = lane_of_(*tenant);
  if (!lane) return turn_away(format_of(*body), {Errc::over_budget, lane.error().detail}, 0);
  head.lane = *lane;
  return std::nullopt;
}

std::optional<http::Response> LokiPushIntake::check(const http::Request& head) const {
  std::optional<http::Response> refusal = judge(head);
  if (refusal) senders_.note({head.peer, head.headers}, *refusal, to_unix_ms(clock_.wall_now()));
  return refusal;
}

std::optional<http::Response> LokiPushIntake::judge(const http::Request& request) const {
  Head head;
  if (auto refusal = read(request, head)) return refusal;
  // A body that could not be stored is not read. What becomes of it is about as large as what was sent.
  std::uint64_t length = 0;
  const std::string_view declared = request.headers.find("Content-Length");
  std::from_chars(declared.data(), declared.data() + declared.size(), length);
  const std::uint64_t record_bytes = std::min(length, kRecordBytesMax) + wal::kEnvelopeBytes;
  auto refusal = queue_.refusal(head.lane, record_bytes);
  if (!refusal) return std::nullopt;
  return turn_away(format_of(head.body), {refusal->code, std::move(refusal->sentence)}, record_bytes);
}

awaitable<http::Response> LokiPushIntake::handle(http::Request request) {
  const http::Headers headers = request.headers;
  const std::string peer = request.peer;
  const std::uint64_t bytes = request.body.size();
  auto taking = take(std::move(request));
  Taken taken = co_await std::move(taking);
  senders_.note({peer, headers, bytes, taken.lines}, taken.response, to_unix_ms(clock_.wall_now()));
  co_return std::move(taken.response);
}

awaitable<LokiPushIntake::Taken> LokiPushIntake::take(http::Request request) {
  Head head;
  if (auto refusal = read(request, head)) co_return Taken{std::move(*refusal)};
  const Format format = format_of(head.body);
  const std::uint64_t body_bytes = request.body.size();

  // Of each form only one is held: the next is made, then the one before is given back.
  Result<std::string> message = decode(request.body, head.body);
  std::string().swap(request.body);
  if (!message) co_return Taken{answer(format, answer_to(message.error()), message.error().detail)};
  Result<Sifted> sifted = sift(*message, to_unix_ms(clock_.wall_now()), limits_);
  std::string().swap(*message);
  if (!sifted) co_return Taken{answer(format, answer_to(sifted.error()), sifted.error().detail)};
  if (sifted->streams == 0)
    co_return Taken{
        answer(format, PushAnswer::no_streams, "error at least one valid stream is required for ingestion")};
  auto storing = store(std::move(*sifted), head, body_bytes);
  Taken taken = co_await std::move(storing);
  co_return taken;
}

awaitable<LokiPushIntake::Taken> LokiPushIntake::store(Sifted sifted, Head head, std::uint64_t body_bytes) {
  const Format format = format_of(head.body);
  const std::int64_t arrival_ms = to_unix_ms(clock_.wall_now());
  std::uint64_t lines = 0;
  for (Kept& kept : sifted.kept) {
    wal::NewRecord record =
        tideover::loki::push_record(kept.message, {kept.entries, kept.oldest_ns, kept.newest_ns}, arrival_ms);
    std::string().swap(kept.message);
    const wal::Attributes attributes = record.attributes;
    const std::uint64_t record_bytes = record.bytes.size();
    Result<> appended = co_await queue_.append(head.lane, std::move(record));
    if (!appended) co_return Taken{turn_away(format, appended.error(), record_bytes), lines};
    lines += attributes.units;
    metrics_.lines += attributes.units;
    metrics_.raw_bytes += attributes.raw_bytes;
    metrics_.record_bytes += record_bytes;
    metrics_.newest_ms = std::max(metrics_.newest_ms, attributes.newest_ms);
  }
  if (lines > 0) metrics_.body_bytes += body_bytes;
  if (sifted.faults.none()) co_return Taken{answer(format, PushAnswer::stored), lines};
  // Every client drops the whole push on a 400: its good lines are safe by now.
  for (std::size_t why = 0; why < kWhys; ++why) metrics_.refused_lines[why] += sifted.faults.by_reason()[why];
  co_return Taken{answer(format, PushAnswer::partly_stored, sifted.faults.text()), lines};
}

}  // namespace tideover::ingest::loki
