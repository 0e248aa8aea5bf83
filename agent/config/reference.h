// The table of keys as docs/CONFIG.md shows it; tests/tidy holds the two together.
#pragma once

#include <string>

namespace tideover::config {

std::string reference_markdown();

}  // namespace tideover::config
