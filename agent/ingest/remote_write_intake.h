// Bytes in, records out: POST /api/v1/write, Remote Write 1.0 and 2.0.
//
// Executor: io. 204 only after the sync; the answers are the table of docs/INTAKE.md.
#pragma once

#include <optional>
#include <string>

#include "agent/ingest/metrics.h"
#include "agent/ingest/senders.h"
#include "forwarders/http/message.h"
#include "forwarders/remote_write/remote_write.h"
#include "wal/base/clock.h"
#include "wal/queue.h"

namespace tideover::ingest {

class RemoteWriteIntake {
 public:
  // All outlive the intake.
  RemoteWriteIntake(wal::Queue& queue, LaneId lane, Clock& clock, IntakeMetrics& metrics);

  // From the head alone: 415, 413, 503; nullopt to go on.
  std::optional<http::Response> check(const http::Request& head) const;

  // `request.body` begins with wal::kEnvelopeBytes of room, which become the record's envelope: the payload
  // is not copied.
  awaitable<http::Response> handle(http::Request request);

  const Senders& senders() const { return senders_; }

 private:
  struct Taken {
    http::Response response;
    std::uint64_t samples = 0;  // stored
  };
  std::optional<http::Response> judge(const http::Request& head) const;
  awaitable<Taken> take(std::string body, remote_write::Version version);
  http::Response count(http::Response response, Protocol protocol, Answer kind) const;
  // The queue has refused a record of this size.
  http::Response turn_away(remote_write::Version version, Error error, std::uint64_t record_bytes) const;

  wal::Queue& queue_;
  const LaneId lane_;
  Clock& clock_;
  IntakeMetrics& metrics_;
  mutable Senders senders_;  // as the metrics, counted where a request is judged
  std::string scratch_;  // the decoded message under scan; one at a time, since nothing is awaited meanwhile
};

}  // namespace tideover::ingest
