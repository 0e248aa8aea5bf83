// The rules that join several keys; each key by itself is judged by its row of the table.
#pragma once

#include "agent/config/config.h"
#include "agent/config/reader.h"

namespace tideover::config {

// Adds a fault per broken rule, at the key to change. Only judges what was readable.
void check_rules(const Config& config, Reader& reader);

}  // namespace tideover::config
