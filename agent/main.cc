#include <iostream>

#include "agent/agent.h"
#include "agent/cli/command_line.h"

int main(int argc, char** argv) {
  return tideover::cli::command_line(argc, argv, tideover::run_agent, std::cout, std::cerr);
}
