// Delivers one lane to one destination: performs what SenderMachine decides, for each cursor that a
// destination has (lanes.h).
//
//   <lane>                        everything, oldest first
//   <lane>/parked/<name>          refused for now, by the receiver's time window or in words nobody knows;
//   only
//                                 where the destination parks
//   <lane>/quarantine/<name>      answered 5xx again and again while others passed: tried each five minutes
//   <lane>/rejects/<name>         dead letters (reject_record.h); read by operators only
//
// A record moves from one lane to another in the same atomic batch as the cursor that leaves it behind.
// Executor: io. Crash: what was sent and not acknowledged durably is sent again; the receiver may see it
// twice.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "forwarders/destination.h"
#include "forwarders/http/transport.h"
#include "forwarders/refusal.h"
#include "forwarders/sender_machine.h"
#include "wal/base/clock.h"
#include "wal/queue.h"

namespace tideover::forward {

std::string_view to_string(State state);

struct StateChange {
  State from;
  State to;
  std::string sentence;  // the last thing the receiver said, or why nothing was heard
};

struct SenderOptions {
  std::string name;       // of the destination, and of its durable cursors
  std::string lane_name;  // of `lane`
  LaneId lane;
  wal::SignalId memory{};  // what the side lanes share with it
  wal::Keep keep = wal::Keep::required;
  wal::StartAt start = wal::StartAt::now;
  // Shares of the side lanes; beyond them their oldest is dropped, counted as Reason::budget.
  std::uint64_t parked_bytes_max = 512 << 20;
  std::uint64_t quarantine_bytes_max = 64 << 20;
  std::uint64_t rejects_bytes_max = 16 << 20;
  MachineLimits machine;
  Duration request_time = std::chrono::seconds(30);  // from the first byte to the whole answer
  std::uint64_t seed = 0;                            // of the jitter
  // May be empty; called on the executor, must not block.
  std::function<void(const StateChange&)> on_change;
  std::function<void(const Refusal&)>
      on_refusal;  // often: what becomes a line in a log is the hearer's affair
};

struct SenderStatus {
  State state = State::up;
  WallTime since{};
  std::string last_error;                // of the last answer that was not a success; empty: none yet
  std::optional<WallTime> last_success;  // absent: never
  std::uint32_t failures = 0;            // in a row
  std::uint64_t in_flight_bytes = 0;
  std::map<std::string, std::uint64_t> requests;  // by class of answer: 2xx, 3xx, 4xx, 5xx, network
  std::uint64_t sent_units = 0;                   // in requests that were answered with success
  std::uint64_t sent_bytes = 0;                   // in all requests
  std::uint64_t retries = 0;
  double bytes_per_second_max = 0;  // what the pace allows now; 0: no limit
  wal::CursorUsage main;
  wal::CursorUsage parked;
  wal::CursorUsage quarantine;
  wal::Totals rejects;  // dead letters kept
};

class Sender {
 public:
  // All references outlive the sender; one transport serves one sender. Opens its lanes and cursors, so it is
  // made after the queue has been opened and before the first append.
  Sender(wal::Queue& queue, const Destination& destination, http::Transport& transport, Clock& clock,
         SenderOptions options);
  ~Sender();  // after run() has completed
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  awaitable<void> run();  // until stop()
  void stop();            // ends every wait at once, the request under way included

  void retry_now();  // an operator ends the wait of a pause, and has what is parked or quarantined tried now

  SenderStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tideover::forward
