#include "wal/rocks/lane_marks.h"

namespace tideover::wal {

void LaneMarks::raise(LaneId lane, const Released& released) {
  std::lock_guard lock(mutex_);
  Released& mark = marks_[lane];
  if (mark.before <= released.before) mark = released;
}

LaneMarks::Snapshot LaneMarks::snapshot() const {
  std::lock_guard lock(mutex_);
  return marks_;
}

}  // namespace tideover::wal
