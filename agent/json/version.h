// Which build this is, as JSON: `tideover version --json` and /api/v1/status/buildinfo begin alike.
#pragma once

#include <boost/json/object.hpp>

#include "agent/version.h"

namespace tideover {

boost::json::object json_of(const Version& version);

}  // namespace tideover
