#include "agent/cli/spelling.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

#include "agent/config/fault.h"
#include "agent/config/suggest.h"

namespace tideover::cli {

std::string unknown_command(const std::vector<Command>& known, std::span<const char* const> words) {
  const std::vector<Command>* at = &known;
  std::string of;
  for (const std::string_view word : words) {
    if (at->empty() || word.starts_with('-')) return {};
    const auto found = std::ranges::find(*at, word, &Command::name);
    if (found != at->end()) {
      of = " of " + found->name;
      at = &found->inner;
      continue;
    }
    std::vector<std::string_view> names;
    for (const Command& command : *at) names.push_back(command.name);
    const std::string what = fmt::format("tideover: {} is no command{}", config::in_quotes(word), of);
    const auto meant = config::nearest(word, names);
    if (!meant.empty()) return fmt::format("{}: did you mean \"{}\"?\n", what, meant);
    return fmt::format("{}: there are {}\n", what, fmt::join(names, ", "));
  }
  return {};
}

}  // namespace tideover::cli
