// Performs the steps of one SenderMachine for one cursor. Sender has one for each lane that it reads.
//
//   LaneWindow (what was read)  ->  Exchange (one request, one answer)  ->  Settlement (what became of it)
//
// Executor: io. Life: from the start of run() until that has completed; `shared` outlives it. Crash: what was
// sent and not acknowledged durably is sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "forwarders/exchange.h"
#include "forwarders/lane_shared.h"
#include "forwarders/lane_window.h"
#include "forwarders/lanes.h"
#include "forwarders/sender_machine.h"
#include "forwarders/settlement.h"
#include "wal/base/notifier.h"

namespace tideover::forward {

class LaneSender {
 public:
  struct Options {
    Lane lane;
    MachineLimits limits;
    std::uint64_t seed;
    std::function<bool()> receiver_is_up;  // as the main lane finds it; for those that are gated
    std::function<void()> after_step;
  };

  LaneSender(LaneShared& shared, Options options);

  awaitable<void> run();
  void stop();  // ends run() once the request in flight has had its answer
  void poke();

  const SenderMachine& machine() const { return machine_; }

 private:
  MachineLimits machine_limits();
  awaitable<Event> perform(Step step);
  awaitable<void> sleep(Time until);

  // What is read becomes a batch: lane_batches.cc.
  awaitable<Event> read();
  Event begin_batch(std::size_t records);
  Loaded loaded(std::span<const wal::StoredRecord> batch, Seq upto) const;
  awaitable<void> wait_after(Errc error);
  RequestLimits request_limits() const;
  std::size_t planned(std::span<const wal::StoredRecord> records) const;
  void take_back(Seq upto);
  void begin_round();

  awaitable<Event> mark();
  awaitable<Event> send(Step step);
  awaitable<Event> send_ahead(Step step);
  void look_for_room(const Answer& answer);
  void acknowledge();

  LaneShared& shared_;
  const Options options_;
  Exchange exchange_;
  SenderMachine machine_;
  LaneWindow window_;
  Settlement settlement_;
  Notifier wake_;
  bool stopping_ = false;
  bool drained_ = false;  // the last read found nothing
  bool replay_noted_ = false;

  // Numbers of the lane, each the first that is not part of it.
  Seq found_at_start_;    // what an earlier life may have sent
  Seq overtaken_before_;  // what may be overtaken, as the cursor says on the disk
  Seq round_end_;         // parked: of the round
  Seq repeated_before_;   // what was sent in this life, and not acknowledged

  std::unique_ptr<Load> load_;  // the batch in flight
  std::size_t batch_records_ = 0;
};

}  // namespace tideover::forward
