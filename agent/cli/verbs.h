// The commands that have a running agent do something, over the operators' socket.
#pragma once

#include <iosfwd>
#include <string>

#include "agent/cli/status.h"

namespace tideover::cli {

struct VerbOptions {
  StatusOptions agent;         // which, and how it answers; never over TCP
  std::string signal;          // empty: the one there is, or all
  std::string destination;     // of drop-cursor, and of rejects; empty: all
  bool leave_backlog = false;  // of reload
};

// Blocking. 0 when it was done, 1 when the agent refused or none answered, 2 for a bad configuration.
int reload(const VerbOptions& options, std::ostream& out, std::ostream& err);
int replay_parked(const VerbOptions& options, std::ostream& out, std::ostream& err);
int drop_cursor(const VerbOptions& options, std::ostream& out, std::ostream& err);
// What receivers refused for good, the oldest first; page by page, so that memory does not grow with it.
int rejects(const VerbOptions& options, std::ostream& out, std::ostream& err);

}  // namespace tideover::cli
