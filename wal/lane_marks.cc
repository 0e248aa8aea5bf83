#include "wal/lane_marks.h"

namespace tideover::wal {

void LaneMarks::raise(LaneId lane, Seq before) {
  std::lock_guard lock(mutex_);
  Seq& mark = marks_[lane];
  if (mark < before) mark = before;
}

LaneMarks::Snapshot LaneMarks::snapshot() const {
  std::lock_guard lock(mutex_);
  return marks_;
}

}  // namespace tideover::wal
