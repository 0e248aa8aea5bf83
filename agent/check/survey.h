// Everything there is to say about a configuration on this node, at once.
#pragma once

#include <optional>
#include <vector>

#include "agent/check/finding.h"
#include "agent/config/config.h"

namespace tideover::check {

// What the agent says of itself that runs on the configuration's directory.
struct Neighbour {
  std::vector<config::Address> listening;
};

struct SurveyOptions {
  bool offline = false;                     // neither look up nor connect
  std::optional<Neighbour> neighbour = {};  // absent: none answers
};

// Blocking. Never writes, never sends a request to a destination.
Findings survey(const config::Config& config, const SurveyOptions& options);

}  // namespace tideover::check
