// What `tideover version` prints; the JSON is also the answer of /api/v1/status/buildinfo.
#pragma once

#include <string>

namespace tideover::cli {

std::string version_text(bool json);

}  // namespace tideover::cli
