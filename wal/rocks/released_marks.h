// How far each lane had been given back, as a store's meta says it. Pure.
#pragma once

#include <map>
#include <string>

#include "wal/rocks/lane_marks.h"

namespace tideover::wal {

// Every cursor of the lane stands at its mark or behind it; a lane without a cursor that can be read has
// none.
LaneMarks::Snapshot released_marks(const std::map<std::string, std::string>& meta);

}  // namespace tideover::wal
