#include "agent/json/version.h"

namespace tideover {

boost::json::object json_of(const Version& version) {
  const auto text = [](std::string_view words) {
    return boost::json::string_view(words.data(), words.size());
  };
  return {{"version", text(version.version)},
          {"revision", text(version.revision)},
          {"compiler", text(version.compiler)},
          {"format", version.format}};
}

}  // namespace tideover
