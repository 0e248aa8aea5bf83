// How long answers take, learned from those that came: what tells a slow line from a receiver that labours.
// Pure.
//
// Two means, of the size and of the time, in which every answer counts, the slow ones too: a line that has
// become slow is usual after a few requests.
#pragma once

#include <cstdint>
#include <optional>

#include "wal/base/clock.h"

namespace tideover::forward {

class AnswerTime {
 public:
  void learn(std::uint64_t bytes, Duration taken);

  // What the answer to a request of this size may take and still be as usual: the mean, and for a larger one
  // as much more as it is larger, since over a slow line the time is that of its bytes. Zero: nothing known.
  Duration usual(std::uint64_t bytes) const;

  // A size that is answered within `time`, in proportion to those that were. Where part of the time goes by
  // whatever the size, that is too little, and nearer with every larger request. Nothing before an answer.
  std::optional<std::uint64_t> bytes_within(Duration time) const;

 private:
  std::uint32_t answers_ = 0;  // counted to a few
  double bytes_ = 0;           // means
  double seconds_ = 0;
};

}  // namespace tideover::forward
