// From a file to a Config, or to every fault in it at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/config/fault.h"

namespace tideover::config {

struct LoadOptions {
  bool expand_env = false;  // replace ${NAME} in values; otherwise "${" is a fault
  std::function<std::optional<std::string>(const std::string& name)> environment =
      {};                      // empty: the process's own
  std::string host_name = {};  // empty: the machine's
};

struct Loaded {
  std::optional<Config> config;  // absent when there are faults
  std::vector<Fault> faults;
  std::string report;  // the faults as text, each line ended; empty without faults
  std::string text;    // of the file, as it was read
};

// Pure. `name` is what the report calls the file.
Loaded parse(std::string_view text, std::string_view name, const LoadOptions& options = {});

// Blocking. A file that cannot be read is a fault like any other.
Loaded load(const std::string& path, const LoadOptions& options = {});

// The defaults of all keys outside sections that are off; required ones are empty.
Config defaults();

}  // namespace tideover::config
