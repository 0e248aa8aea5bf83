// How far each lane has been given back: records below a lane's mark will never be read again.
//
// Raised by Store::release(), read by whatever drops dead records when files are written. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "wal/base/strong.h"

namespace tideover::wal {

class LaneMarks {
 public:
  using Snapshot = std::map<LaneId, Seq>;

  // Marks only rise: a snapshot that is too old keeps a dead record a little longer, and nothing worse.
  void raise(LaneId lane, Seq before);
  Snapshot snapshot() const;

 private:
  mutable std::mutex mutex_;
  Snapshot marks_;
};

}  // namespace tideover::wal
