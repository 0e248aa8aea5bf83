#include "wal/signal.h"

#include <algorithm>

#include "wal/lane.h"

namespace tideover::wal {

void Signal::make_fresh_fit() {
  while (fresh_bytes > limits.fresh_bytes) {
    Lane* largest = *std::max_element(lanes.begin(), lanes.end(), [](const Lane* a, const Lane* b) {
      return a->fresh_bytes() < b->fresh_bytes();
    });
    largest->forget_first();
  }
}

}  // namespace tideover::wal
