// Whether a destination can be reached: its name is looked up, a connection made, TLS agreed, and that is
// all. No request is ever sent. Blocking.
#pragma once

#include <chrono>

#include "agent/check/finding.h"
#include "agent/config/config.h"

namespace tideover::check {

Finding reach(const config::Destination& destination, std::chrono::milliseconds patience);

}  // namespace tideover::check
