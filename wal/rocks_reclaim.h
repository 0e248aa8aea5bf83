// Gives the space of released records back. Internal to wal/rocks_*.cc.
#pragma once

#include <cstdint>
#include <map>

#include "wal/base/strong.h"

namespace tideover::wal {

class RocksHandle;

// Executor: the write worker.
class RocksReclaim {
 public:
  // After the lane's mark has risen to `before`; `drained`: nothing of the lane is left behind the mark.
  // Cheap while no table file exists, which is the healthy case.
  void released(const RocksHandle& handle, LaneId lane, Seq before, bool drained);

 private:
  std::map<LaneId, std::uint64_t> calls_;  // since the lane was last looked at
};

}  // namespace tideover::wal
