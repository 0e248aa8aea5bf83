// What every lane needs done whenever a group became durable, and once in a while when none does: readers
// woken, records that nobody needs given back, best-effort backlogs trimmed.
//
// Executor: io; the store gives records back on the write worker.
#pragma once

#include "wal/base/worker.h"
#include "wal/disk_watch.h"
#include "wal/lane_table.h"
#include "wal/limits.h"
#include "wal/store.h"
#include "wal/trimmer.h"

namespace tideover::wal {

class Upkeep {
 public:
  // All references outlive it.
  Upkeep(Store& store, Worker& writer, const LaneTable& lanes, Trimmer& trimmer, const DiskWatch& disk,
         const WalLimits& limits)
      : store_(store), writer_(writer), lanes_(lanes), trimmer_(trimmer), disk_(disk), limits_(limits) {}

  void settled();
  void look_around();  // also when no group does: after a start, and for lanes at rest

 private:
  void release(OpenLane& lane, bool again);

  Store& store_;
  Worker& writer_;
  const LaneTable& lanes_;
  Trimmer& trimmer_;
  const DiskWatch& disk_;
  const WalLimits& limits_;
};

}  // namespace tideover::wal
