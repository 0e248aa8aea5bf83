// The one place where a key of the configuration is declared.
#pragma once

#include "agent/config/config.h"
#include "agent/config/table.h"

namespace tideover::config {

const Table<Config>& schema();

}  // namespace tideover::config
