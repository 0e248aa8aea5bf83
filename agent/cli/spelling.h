// A command that nobody knows: said with the one that was meant. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace tideover::cli {

struct Command {
  std::string name;
  std::vector<Command> inner;  // commands of a command
};

// Empty when the words begin with commands that there are, or with no command at all.
std::string unknown_command(const std::vector<Command>& known, std::span<const char* const> words);

}  // namespace tideover::cli
