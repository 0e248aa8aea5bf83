// Destinations that are in the configuration no more: what a signal's lane still keeps for them.
//
// Each is frozen at the last record it had when it left, and the lanes of what was set aside for it stay in
// their bounds. All of it is best effort. One that keeps nothing is given up: nobody will ask for it. Put
// back into the configuration it goes on with what it has, and then with what comes from then on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wal/queue.h"

namespace tideover::forward {

struct SenderOptions;

struct Detached {
  wal::CursorUsage main;
  wal::Totals parked;
  wal::Totals quarantined;
  wal::Totals dead_letters;
  wal::Ledger aside;  // of what was set aside, and came to an end there

  bool keeps_data() const;  // that is still to be delivered
  bool keeps_anything() const { return keeps_data() || dead_letters.records > 0; }
};

// All whose names are not among `configured`. `lane` is open, by the name given.
std::vector<Detached> detached(const wal::Queue& queue, std::string_view lane_name, LaneId lane,
                               std::span<const std::string> configured);

// At a start, before anything is appended. `bounds`: of side lanes. Returns its cursor in the lane.
wal::CursorId freeze(wal::Queue& queue, std::string_view lane_name, LaneId lane, const Detached& gone,
                     const SenderOptions& bounds);

// Now and then. Returns the names.
std::vector<std::string> give_up_empty(wal::Queue& queue, std::string_view lane_name, LaneId lane,
                                       std::span<const std::string> configured);

}  // namespace tideover::forward
