// Performs the steps of one SenderMachine for one cursor. Sender has three of them.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forwarders/destination.h"
#include "forwarders/http/transport.h"
#include "forwarders/inflow.h"
#include "forwarders/refusal.h"
#include "forwarders/sender_machine.h"
#include "wal/base/notifier.h"
#include "wal/queue.h"

namespace tideover::forward {

// What the three have in common.
struct LaneSenderShared {
  wal::Queue& queue;
  const Destination& destination;
  http::Transport& transport;
  Clock& clock;
  std::string name;  // of the destination
  Duration request_time;
  LaneId parked;
  LaneId quarantine;
  LaneId rejects;
  std::uint64_t parked_bytes_max;
  std::uint64_t quarantine_bytes_max;
  std::function<void(const Refusal&)> on_refusal;

  // Who has brought the youngest of what is parked: the parked lane's own sender continues its run of records
  // as long as nobody else has put newer ones behind it.
  Role parked_last = Role::main;

  // Encodings that the receiver has taken at least once.
  std::map<std::uint16_t, bool> version_works{};

  // For status.
  std::string last_error{};
  std::optional<WallTime> last_success{};
  std::map<std::string, std::uint64_t> requests{};
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t sent_units = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t retries = 0;
};

class LaneSender {
 public:
  struct Options {
    LaneId lane;
    wal::CursorId cursor;
    wal::Keep keep;
    Role role;
    MachineLimits limits;
    std::uint64_t seed;
    std::function<bool()> may_send;  // side lanes: whether the main one finds the receiver up
    std::function<void()> after_step;
  };

  LaneSender(LaneSenderShared& shared, Options options);  // `shared` outlives it

  awaitable<void> run();
  void stop();  // ends run() once the request in flight has had its answer
  void poke();

  const SenderMachine& machine() const { return machine_; }
  double units_per_second() const { return units_per_second_; }

 private:
  MachineLimits machine_limits();
  awaitable<Event> perform(Step step);
  awaitable<Event> read();
  awaitable<bool> refill(std::uint64_t max_bytes);
  awaitable<bool> extend_window();
  void take_back(Seq upto);
  awaitable<Event> mark();
  awaitable<Event> send(Step step);
  awaitable<Event> send_ahead(Step step);
  awaitable<Event> transmit(Step step, Load* load, Seq ahead_upto);
  awaitable<void> sleep(Time until);
  void settle(const Step& step);
  void acknowledge();
  void measure(std::uint64_t units);
  void lose(wal::Reason reason, std::uint64_t units);
  void divert(Part part, LaneId to, bool overtaken);
  void begin_round();
  void mark_run();
  void tell(Fate fate, const Verdict& verdict, wal::Reason reason, std::uint64_t units);
  void bury(Part part, const Verdict& verdict, wal::Reason reason);
  Event begin_batch(std::size_t records);
  std::span<const wal::StoredRecord> at_hand() const { return std::span(window_).subspan(front_); }
  RequestLimits request_limits() const;
  std::size_t planned(std::span<const wal::StoredRecord> records) const;
  Seq end_of(std::size_t records) const;  // of the first so many at hand
  wal::CursorUsage usage_of(LaneId lane) const;

  LaneSenderShared& shared_;
  const Options options_;
  Inflow inflow_;
  SenderMachine machine_;
  Notifier wake_;
  bool stopping_ = false;
  bool drained_ = false;  // the last read found nothing
  bool replay_noted_ = false;

  // What was read; from `front_` on it is not acknowledged, and the batch in flight is the first of that.
  std::vector<wal::StoredRecord> window_;
  std::size_t front_ = 0;
  Seq window_end_;          // first number behind it, damaged ones included
  Seq found_at_start_;      // first number that no earlier life can have sent
  Seq overtaken_before_;    // as the cursor says on the disk
  Seq round_end_;           // parked: first number that is not part of the round
  Seq upto_;                // of the last batch that was settled
  Seq repeated_before_;     // what is before it was sent in this life, and not acknowledged
  bool run_begins_ = true;  // parked: what is put back next may be older than what it is put behind

  std::unique_ptr<Load> load_;
  std::size_t batch_records_ = 0;
  std::uint64_t batch_units_ = 0;
  wal::Ack ack_;            // grows while the batch is settled
  bool forfeited_ = false;  // the queue would not know what such an acknowledgement means
  std::map<std::size_t, std::uint64_t> stripped_;  // of parts in flight, by first item

  Time measured_at_{};
  double units_per_second_ = 0;
};

}  // namespace tideover::forward
