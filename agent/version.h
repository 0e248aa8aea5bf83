// Which build this is: the same answer for `tideover version`, /api/v1/status/buildinfo and build_info.
#pragma once

#include <cstdint>
#include <string_view>

namespace tideover {

struct Version {
  std::string_view version;   // of the project, in CMakeLists.txt
  std::string_view revision;  // of the source, or "unknown" outside a repository
  std::string_view compiler;
  std::uint32_t format = 0;  // of the data directory
};

const Version& version();

}  // namespace tideover
