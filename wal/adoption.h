// What an opened store makes of the lanes and cursors: their values where these can be read, and the best
// that the records tell where damage took a value.
//
// A tail is the furthest of what the lane's own value, its last record, its cursors and memory know: damage
// may have taken any of them, and numbers must not be given a second time. A cursor whose value is lost
// begins at the oldest record that exists. Second crash: what was lost is written anew with the births of the
// next group, and until then the next opening finds the same.
#pragma once

#include <cstdint>
#include <vector>

#include "wal/base/result.h"
#include "wal/lane_table.h"
#include "wal/store.h"

namespace tideover::wal {

struct Adopted {
  // Whose values the store does not have, or has older than they are: to be written.
  std::vector<OpenCursor*> lost_cursors;
  std::vector<OpenLane*> lost_lanes;
};

// The first opening of a life, into an empty table. Errors: store_refused, when a value is of a newer
// version.
Result<Adopted> adopt_first(const StoreImage& image, LaneTable& table, Signal& signal);

// The store was opened again in the midst of a life, whose lanes and cursors stand in the table.
Adopted adopt_again(const StoreImage& image, LaneTable& table);

// A lane that is opened by its name for the first time: new, or all that is left of it are records.
OpenLane& adopt_lane(std::string name, LaneTable& table, Signal& signal);

// Decimal number of the last group that the store holds; 0 when it does not say.
std::uint64_t last_group(const StoreImage& image);

}  // namespace tideover::wal
