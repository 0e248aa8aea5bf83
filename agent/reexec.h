// Replaces the running program by itself, with the same arguments and environment, and what it inherits.
#pragma once

#include "agent/inheritance/inheritance.h"

namespace tideover {

// The signals that the agent answers: SIGHUP, SIGTERM, SIGINT. While they are held they wait, for the next
// image if need be, where the system's own answer would end the process.
void hold_signals();
void release_signals();

// False when restart() could not succeed either. Errors: io_error.
Result<> can_restart();

// Returns only on failure, with the exit status 1: a supervisor starts the agent anew then. The image that
// runs is taken again, even when another lies in its place on disk: a reload changes the configuration alone.
// Signals must be held.
int restart(const Inheritance& inheritance);

}  // namespace tideover
