// Replaces the running program by itself, with the same arguments and environment.
#pragma once

namespace tideover {

// Returns only on failure, with the exit status 1: a supervisor starts the agent anew then.
int reexec();

}  // namespace tideover
