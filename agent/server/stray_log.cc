#include "agent/server/stray_log.h"

#include <fmt/format.h>
#include <utility>

#include "forwarders/http/message.h"

namespace tideover::server {
namespace {

constexpr Duration kOneLine = std::chrono::minutes(1);
constexpr std::size_t kShown = 120;

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShown)) out += c > ' ' && c < 0x7f && c != '"' ? c : '?';
  if (text.size() > kShown) out += "...";
  return out;
}

}  // namespace

std::optional<std::string> StrayLog::note(const Stray& stray, Time now) {
  const bool brings = stray.method == "POST" || stray.method == "PUT";
  Line& line = lines_[brings ? 1 : 0];
  if (now < line.not_before) {
    ++line.since;
    return std::nullopt;
  }
  line.not_before = now + kOneLine;
  std::string sentence =
      fmt::format("a request came to a path that is not here{}: method={} path={} from={}",
                  brings ? ", and its sender gives up what it sent" : "", shown(stray.method),
                  shown(http::path_of(stray.target)), shown(stray.from));
  if (const std::uint64_t more = std::exchange(line.since, 0); more > 0)
    sentence += fmt::format(" ({} more since the last such line)", more);
  return sentence;
}

}  // namespace tideover::server
