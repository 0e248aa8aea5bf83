// Connections that are open and say nothing.
#pragma once

#include <chrono>
#include <cstdint>

#include "wal/base/result.h"

namespace tideover::bench {

// Blocking, for `duration`. Errors: connect_failed.
Result<void> stay_connected(std::uint16_t port, std::uint32_t connections, std::chrono::seconds duration);

}  // namespace tideover::bench
