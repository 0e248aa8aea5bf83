// What the rules of the configuration are for agent/relabel. Pure.
#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/relabel/rule.h"

namespace tideover::config {

// Errors: bad_input, with what the action needs or does not take.
Result<relabel::Rule> compile(const Relabel& rule);

// Of a configuration that check_rules() has passed.
std::vector<relabel::Rule> compile_all(const std::vector<Relabel>& rules);

}  // namespace tideover::config
