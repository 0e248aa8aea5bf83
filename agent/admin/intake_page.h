// The part of the metrics page that is about what comes in: Remote Write, pushes of lines, and the listeners
// of all signals.
#pragma once

#include "agent/admin/page.h"
#include "agent/admin/snapshot.h"

namespace tideover::admin {

void intakes(Page& page, const Snapshot& snapshot);

}  // namespace tideover::admin
