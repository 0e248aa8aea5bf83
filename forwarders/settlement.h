// What becomes of the items of one batch, gathered until all of them are settled: what is lost, what moves to
// another lane, dead letters, and what the ledger counts beside. It becomes one acknowledgement, and so one
// atomic batch on the disk.
//
// Place: between the machine's fates and the queue. Executor: io. Life: that of its LaneSender. In memory
// alone: what was gathered and not acknowledged is gathered anew when the batch is sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "forwarders/destination.h"
#include "forwarders/lane_shared.h"
#include "forwarders/sender_steps.h"
#include "wal/queue.h"

namespace tideover::forward {

class Settlement {
 public:
  Settlement(LaneShared& shared, Role role) : shared_(shared), role_(role) {}  // `shared` outlives it

  // A batch of what lies from `first` on; `upto`: the first number behind it. `begins_run`: what is put back
  // of it may be older than what it is put behind.
  void begin(Seq first, Seq upto, bool begins_run);
  void passed(Part part, const SideCounts& beside);  // before it is settled
  void settle(const Step& step, Load& load);
  // The batch behind it has been delivered whole: both are acknowledged with one another.
  void reach(Seq upto, const SideCounts& beside, const Verdict& verdict);
  // Where the batch ends has been read again.
  void end_at(Seq upto) { ack_.upto = upto; }
  Seq upto() const { return ack_.upto; }

  wal::Ack take();  // once all of it is settled
  // It cannot be acknowledged: nothing of it was put back, so a run that was to begin with it has not begun.
  void abandon() { run_begins_ = true; }

 private:
  void lose(wal::Reason reason, std::uint64_t units);
  void divert(Part part, Load& load, Role to, bool overtaken);
  void bury(Part part, Load& load, const Verdict& verdict, wal::Reason reason);
  void tell(Fate fate, const Verdict& verdict, wal::Reason reason, std::uint64_t units);
  void mark_run();

  LaneShared& shared_;
  const Role role_;
  wal::Ack ack_;
  std::map<std::size_t, SideCounts> beside_;  // of parts in flight, by first item
  Seq settled_upto_;                          // of the last batch
  bool run_begins_ = true;  // parked: what is put back next may be older than what it is put behind
};

}  // namespace tideover::forward
