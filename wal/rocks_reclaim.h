// Gives the space of released records back. Internal to wal/rocks_*.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "wal/base/strong.h"

namespace tideover::wal {

class RocksHandle;

// Executor: the write worker.
class RocksReclaim {
 public:
  // After the lane's mark has risen to `before`; `drained`: nothing of the lane is left behind the mark.
  // `remember` makes the mark durable, and answers whether it could: tables whose removal is lost with the
  // power come back, and what is in them must not. Cheap while no table file exists, which is the healthy
  // case.
  void released(const RocksHandle& handle, LaneId lane, Seq before, bool drained,
                const std::function<bool()>& remember);

 private:
  std::map<LaneId, std::uint64_t> calls_;  // since the lane was last looked at
};

}  // namespace tideover::wal
