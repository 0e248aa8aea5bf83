// How fast a destination works off what waits for it, and when that will have drained. Pure.
//
// Over the last minute: scrapes come in bursts. What it gave up for its budget is no progress, and new data
// comes in while old data goes out, so that a backlog drains by the difference only.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "wal/base/clock.h"

namespace tideover::admin {

class Progress {
 public:
  struct Look {  // in samples, since the cursor exists
    std::uint64_t accepted = 0;
    std::uint64_t answered = 0;  // taken, refused for good, or set aside: all that its receiver spoke of
    bool flowing = false;        // the receiver is up
  };
  void observe(Time now, const Look& look);  // every few seconds

  double samples_per_second() const;  // 0 while it is away
  // Absent while it is away, while its pace is not known, and when as much comes in as goes out.
  std::optional<double> eta_seconds(std::uint64_t waiting) const;

 private:
  struct Mark {
    Time at;
    std::uint64_t accepted;
    std::uint64_t answered;
  };
  const Mark& began() const;  // of what is seen of the present flow

  std::deque<Mark> marks_;
  bool flowing_ = false;
  Time flowing_since_{};
};

}  // namespace tideover::admin
