// The command line: words in, exit status out. Bad usage and a bad configuration are 2, a fault is 1.
#pragma once

#include <functional>
#include <iosfwd>

#include "agent/agent.h"

namespace tideover::cli {

inline constexpr int kSuccess = 0;
inline constexpr int kFault = 1;
inline constexpr int kBadUsage = 2;

using Run = std::function<int(const config::Config&, const RunOptions&)>;

// `run` is the agent itself; the other commands live here.
int command_line(int argc, const char* const* argv, const Run& run, std::ostream& out, std::ostream& err);

}  // namespace tideover::cli
