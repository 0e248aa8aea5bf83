#include "wal/upkeep.h"

#include <utility>

#include "wal/release.h"
#include "wal/retention.h"

namespace tideover::wal {

void Upkeep::settled() {
  const bool low = below_floor(disk_.fill(), limits_);
  for (const auto& [id, open] : lanes_.lanes()) {
    for (OpenCursor* c : open->cursors)
      if (c->held_up || has_more(c->cursor.state(), open->lane.durable())) c->readable.notify();
    open->lane.forget_before(oldest_needed(*open));
    release(*open, false);
    trimmer_.trim(*open, low);
  }
}

void Upkeep::look_around() {
  const bool low = below_floor(disk_.fill(), limits_);
  for (const auto& [id, open] : lanes_.lanes()) {
    release(*open, true);
    trimmer_.trim(*open, low);
  }
}

void Upkeep::release(OpenLane& open, bool again) {
  if (auto released = to_release(open, again))
    writer_.submit(
        [&store = store_, id = open.lane.id(), what = std::move(*released)] { store.release(id, what); },
        nullptr);
}

}  // namespace tideover::wal
