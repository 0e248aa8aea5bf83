// ${NAME} in values: replaced from the environment when the operator asked for it, a fault otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/yaml_tree.h"

namespace tideover::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Works on the parsed tree, so that what a variable holds can add no keys. Replaced text is not searched
// again.
void expand(Node& node, const Environment& environment, std::vector<Fault>& faults);

// A fault at every "${".
void refuse_expansion(Node& node, std::vector<Fault>& faults);

}  // namespace tideover::config
