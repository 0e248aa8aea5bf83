// One thing that `tideover check` has to say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tideover::check {

enum class Level : std::uint8_t {
  ok,
  warning,  // the agent runs, and some promise of it is weaker than it could be
  error,    // the agent would not start, would refuse samples, or could not deliver them
};

struct Finding {
  Level level = Level::ok;
  std::string subject;   // the key of the configuration, or the part of the node
  std::string sentence;  // what was found, and what to do about it
  bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

}  // namespace tideover::check
