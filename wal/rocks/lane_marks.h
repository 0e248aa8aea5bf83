// What of each lane has been given back: it will never be read again.
//
// Raised by Store::release(), read by whatever drops dead records when files are written. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "wal/store.h"

namespace tideover::wal {

class LaneMarks {
 public:
  using Snapshot = std::map<LaneId, Released>;

  // What is released stays so: a snapshot that is too old keeps a dead record a little longer, and nothing
  // worse.
  void raise(LaneId lane, const Released& released);
  Snapshot snapshot() const;

 private:
  mutable std::mutex mutex_;
  Snapshot marks_;
};

}  // namespace tideover::wal
