#include "agent/cli/version_text.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "agent/json/version.h"
#include "agent/version.h"

namespace tideover::cli {

std::string version_text(bool json) {
  const Version& v = version();
  if (!json)
    return fmt::format("tideover {} ({}), {}, data format {}\n", v.version, v.revision, v.compiler, v.format);
  return boost::json::serialize(json_of(v)) + "\n";
}

}  // namespace tideover::cli
