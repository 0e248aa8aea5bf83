// Gives up what a destination that is no more still holds in the queue: its place in the lane, and what was
// parked, quarantined and rejected for it.
#pragma once

#include <string_view>

#include "wal/queue.h"

namespace tideover::forward {

// Errors: not_found, when no cursor has that name. No sender may serve it.
Result<> give_up_destination(wal::Queue& queue, std::string_view lane_name, std::string_view destination);

}  // namespace tideover::forward
