// Gives the space of released records back. Internal to wal/rocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "wal/store.h"

namespace tideover::wal {

class RocksHandle;

// Executor: the write worker.
class RocksReclaim {
 public:
  // `drained`: nothing of the lane is left. `remember` makes durable before which number all is released, and
  // answers whether it could: tables whose removal is lost with the power come back, and what is in them must
  // not. (What is released between records that are kept may: no cursor passes there.) Cheap while no table
  // file exists, which is the healthy case.
  void released(const RocksHandle& handle, LaneId lane, const Released& released, bool drained,
                const std::function<bool(Seq before)>& remember);

 private:
  void give_back(const RocksHandle& handle, LaneId lane, const SeqRange& dead, bool drained,
                 const std::function<bool()>& remember);

  std::map<LaneId, std::uint64_t> calls_;  // since the lane was last looked at
};

}  // namespace tideover::wal
