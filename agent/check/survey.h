// Everything there is to say about a configuration on this node, at once.
#pragma once

#include "agent/check/finding.h"
#include "agent/config/config.h"

namespace tideover::check {

struct SurveyOptions {
  bool offline = false;  // neither look up nor connect
};

// Blocking. Never writes, never sends a request to a destination.
Findings survey(const config::Config& config, const SurveyOptions& options);

}  // namespace tideover::check
