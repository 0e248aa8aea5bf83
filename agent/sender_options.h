// From what an operator wrote about a destination to what its sender runs with: pure.
#pragma once

#include "agent/config/config.h"
#include "agent/settings.h"
#include "forwarders/sender.h"

namespace tideover {

// Without what belongs to the process: the lane, the seed, who hears of changes.
forward::SenderOptions sender_options(const config::Destination& destination, const DiskBudget& budget);

}  // namespace tideover
