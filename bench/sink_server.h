// What runs in the sink's process.
#pragma once

#include "bench/sink.h"

namespace tideover::bench {

[[noreturn]] void serve_sink(SinkState& state, bool verify);

}  // namespace tideover::bench
