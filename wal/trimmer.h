// Best-effort cursors beyond their lane's budget lose their oldest, a run at a time; and while the file
// system is below its floor, what would make their backlog larger than it was when that began. What is kept
// for cursors that are away gives way first: all of a lane together stays within its budget.
//
// Executor: io; reads on the read worker. Damage in the way is read over until something readable, or the
// tail, says how much it held: it is dropped with what stands behind it, and counted as what it is.
#pragma once

#include "wal/base/worker.h"
#include "wal/committer.h"
#include "wal/lane_table.h"
#include "wal/metrics.h"
#include "wal/store.h"

namespace tideover::wal {

class Trimmer {
 public:
  // All references outlive the trimmer.
  Trimmer(Store& store, Worker& reader, Committer& committer, WalMetrics& metrics)
      : store_(store), reader_(reader), committer_(committer), metrics_(metrics) {}

  void trim(OpenLane& lane, bool below_floor);
  void stop() { stopping_ = true; }

 private:
  void trim(OpenLane& lane);
  void read_run(OpenLane& lane, OpenCursor& cursor, Seq start, Seq from);
  void drop_run(OpenLane& lane, OpenCursor& cursor, Seq start, Result<ReadRange> range,
                const LaneState& tail);

  Store& store_;
  Worker& reader_;
  Committer& committer_;
  WalMetrics& metrics_;
  bool stopping_ = false;
};

}  // namespace tideover::wal
