// How far a lane's records can be given back, and when the store is asked to do it: pure policy.
//
// Only behind what the disk says: a cursor that moved since may be found further back after a crash.
#pragma once

#include <optional>

#include "wal/lane_table.h"

namespace tideover::wal {

// What nobody needs. The lane's last record always stays, as a second witness of its tail and of its number.
Released releasable(const OpenLane& lane);

// Whether the store is to be told, and what. `again`: time has passed since the lane came to rest with
// nothing to gain, or with something that could not be had then; it is asked ever more seldom.
std::optional<Released> to_release(OpenLane& lane, bool again);

}  // namespace tideover::wal
