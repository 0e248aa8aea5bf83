// Whether a lane takes a record, and how full it is: the figures of a lane, its signal and the disk, laid
// before the policy of retention.h.
//
// Executor: io. Decides nothing by itself, changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wal/committer.h"
#include "wal/disk_watch.h"
#include "wal/lane_table.h"
#include "wal/limits.h"
#include "wal/queue.h"
#include "wal/retention.h"

namespace tideover::wal {

class Admission {
 public:
  // All references outlive it.
  Admission(const LaneTable& lanes, const Committer& committer, const DiskWatch& disk,
            const WalLimits& limits)
      : lanes_(lanes), committer_(committer), disk_(disk), limits_(limits) {}

  std::optional<Refusal> refusal(const OpenLane& lane, std::uint64_t bytes) const;
  LaneUsage usage(const OpenLane& lane) const;

 private:
  LaneFill fill_of(const OpenLane& lane) const;

  const LaneTable& lanes_;
  const Committer& committer_;
  const DiskWatch& disk_;
  const WalLimits& limits_;
};

std::vector<CursorUsage> usage_of_cursors(const OpenLane& lane);

}  // namespace tideover::wal
