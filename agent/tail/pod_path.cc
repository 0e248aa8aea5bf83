#include "agent/tail/pod_path.h"

#include <algorithm>
#include <charconv>

namespace tideover::tail {
namespace {

constexpr std::string_view kLog = ".log";
constexpr std::string_view kGz = ".gz";
constexpr std::string_view kTimeForm = "dddddddd-dddddd";

// The text before the separator, taken off `text` with it.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  if (at == text.npos || at == 0) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_time(std::string_view text) {
  return std::ranges::equal(text, kTimeForm,
                            [](char c, char form) { return form == 'd' ? is_digit(c) : c == form; });
}

}  // namespace

std::optional<Place> parse_pod_file_name(std::string_view name) {
  Place place;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data(), end, place.restart);
  if (error != std::errc{} || name.empty() || !is_digit(name.front())) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(rest - name.data()));
  if (!name.starts_with(kLog)) return std::nullopt;
  name.remove_prefix(kLog.size());
  if (name.empty()) return place;
  if (!name.starts_with('.')) return std::nullopt;
  name.remove_prefix(1);
  if (name.ends_with(kGz)) {
    place.compressed = true;
    name.remove_suffix(kGz.size());
  }
  if (!is_time(name)) return std::nullopt;
  place.rotated = name;
  return place;
}

std::optional<PodFile> parse_pod_path(std::string_view pods_directory, std::string_view path) {
  if (!path.starts_with(pods_directory)) return std::nullopt;
  path.remove_prefix(pods_directory.size());
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  // None of the three can hold an underscore: they are names of DNS, and an UUID or a hash.
  const auto namespace_name = take_until(path, '_');
  const auto pod = namespace_name ? take_until(path, '_') : std::nullopt;
  const auto uid = pod ? take_until(path, '/') : std::nullopt;
  const auto container = uid ? take_until(path, '/') : std::nullopt;
  if (!container || path.find('/') != path.npos) return std::nullopt;
  for (const std::string_view part : {*namespace_name, *pod, *uid})
    if (part.find('/') != part.npos || part.find('_') != part.npos) return std::nullopt;
  auto place = parse_pod_file_name(path);
  if (!place) return std::nullopt;
  return PodFile{
      {std::string(*namespace_name), std::string(*pod), std::string(*uid), std::string(*container)},
      std::move(*place)};
}

}  // namespace tideover::tail
