// Whether the agent could listen where the configuration says, and who could then reach it.
#pragma once

#include <string>
#include <vector>

#include "agent/check/finding.h"
#include "agent/config/values.h"

namespace tideover::check {

// 0, or the system's number for why not. Blocking; binds for a moment, and never listens: nobody can connect.
int try_to_bind(const config::Address& address);

// Pure. `held`: where the agent that runs on this directory listens: it does not stand in its own way.
Findings judge_listener(const std::string& key, const config::Address& address, int error,
                        const std::vector<config::Address>& held);

}  // namespace tideover::check
