// `tideover check`: every fault of the configuration, else everything about the node it would run on.
#pragma once

#include <iosfwd>
#include <string>

#include "agent/check/finding.h"

namespace tideover::cli {

struct CheckOptions {
  std::string config_path;
  bool expand_env = false;
  bool json = false;
  bool offline = false;
};

// Blocking. 0 when no finding is an error, 1 when one is, 2 for a bad configuration.
int check(const CheckOptions& options, std::ostream& out, std::ostream& err);

std::string findings_text(const check::Findings& findings);
std::string findings_json(const check::Findings& findings);

}  // namespace tideover::cli
