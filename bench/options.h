// The command line of tideover-bench.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/run.h"
#include "bench/source.h"
#include "bench/stream.h"

namespace tideover::bench {

struct Options {
  std::vector<SubjectKind> subjects;
  std::string scenario;  // a name for the results
  int rounds = 1;        // of all subjects in turn
  bool synthetic = false;
  SyntheticOptions synthetic_source;
  StreamOptions stream;
  RunOptions run;
};

// On nullopt the process ends with `exit_code`: help was asked for, or the usage is wrong; both have been
// said.
std::optional<Options> parse(int argc, char** argv, int& exit_code);

}  // namespace tideover::bench
