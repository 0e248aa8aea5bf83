#include "agent/cli/version_text.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "agent/version.h"

namespace tideover::cli {

std::string version_text(bool json) {
  const Version& v = version();
  if (!json)
    return fmt::format("tideover {} ({}), {}, data format {}\n", v.version, v.revision, v.compiler, v.format);
  const boost::json::value value = {
      {"version", boost::json::string_view(v.version.data(), v.version.size())},
      {"revision", boost::json::string_view(v.revision.data(), v.revision.size())},
      {"compiler", boost::json::string_view(v.compiler.data(), v.compiler.size())},
      {"format", v.format}};
  return boost::json::serialize(value) + "\n";
}

}  // namespace tideover::cli
