// Bytes in, records out: POST /loki/api/v1/push, as Promtail, Alloy, Fluent Bit and Telegraf speak it.
//
// Executor: io. 204 only after the sync; the answers are the table of docs/INTAKE.md. Never 429, which some
// clients drop, and never 401: a push without a tenant is the default tenant's.
// A record is a push request in a snappy block (forwarders/loki/log_record.h), its units are lines. A large
// push becomes several records; when one of them is refused, or we crash between two of them, the client
// repeats them all, and lines of those before are there twice. The older /api/prom/push is not spoken: its
// labels are text in another place, and every client of today has left it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "agent/ingest/loki/head.h"
#include "agent/ingest/loki/limits.h"
#include "agent/ingest/loki/metrics.h"
#include "agent/ingest/loki/sift.h"
#include "agent/ingest/senders.h"
#include "forwarders/http/message.h"
#include "wal/base/clock.h"
#include "wal/queue.h"

namespace tideover::ingest::loki {

class LokiPushIntake {
 public:
  // The lane of a tenant's lines, opened if need be; an empty name is the default tenant's. Asked for every
  // request, also for one whose body was not read yet. An error (too many tenants) is answered 503 with its
  // sentence.
  using LaneOf = std::function<Result<LaneId>(std::string_view tenant)>;

  // Queue, clock and metrics outlive the intake.
  LokiPushIntake(wal::Queue& queue, LaneOf lane_of, Clock& clock, const Limits& limits, PushMetrics& metrics);

  // From the head alone: 400, 413, 503; nullopt to go on.
  std::optional<http::Response> check(const http::Request& head) const;

  // `request.body` is the body alone: nothing of it is stored as it came, so it needs no room in front.
  awaitable<http::Response> handle(http::Request request);

  const Senders& senders() const { return senders_; }

 private:
  struct Taken {
    http::Response response;
    std::uint64_t lines = 0;  // stored
  };
  struct Head {
    Body body;
    LaneId lane;
  };
  // What the head is, or the answer that refuses it.
  std::optional<http::Response> read(const http::Request& request, Head& head) const;
  std::optional<http::Response> judge(const http::Request& request) const;
  awaitable<Taken> take(http::Request request);
  awaitable<Taken> store(Sifted sifted, Head head, std::uint64_t body_bytes);
  http::Response answer(Format format, PushAnswer kind, std::string sentence = {}) const;
  // The queue, or whoever names lanes, has refused.
  http::Response turn_away(Format format, Error error, std::uint64_t record_bytes) const;

  wal::Queue& queue_;
  const LaneOf lane_of_;
  Clock& clock_;
  const Limits limits_;
  PushMetrics& metrics_;
  mutable Senders senders_;  // as the metrics, counted where a request is judged
};

}  // namespace tideover::ingest::loki
