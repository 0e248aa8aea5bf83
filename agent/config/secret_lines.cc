#include "agent/config/secret_lines.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tideover::config {
namespace {

constexpr std::string_view kFile = "_file";

std::string lower(std::string_view line) {
  std::string out(line);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// Behind "..._file": a path, a variable, or nothing yet. Anything else may be the credential itself.
bool is_path(std::string_view behind) {
  const auto at = behind.find_first_not_of("\"': \t\r");
  return at == behind.npos || behind[at] == '/' || behind[at] == '$' || behind[at] == '#' ||
         behind[at] == '}';
}

bool names_a_secret(std::string_view line) {
  constexpr std::array<std::string_view, 13> kWords = {
      "password", "passw", "pasw",    "pwd",     "secret",     "token", "bearer",
      "authoriz", "_key",  "api-key", "api_key", "credential", "apikey"};
  return std::ranges::any_of(kWords, [line](std::string_view word) {
    for (auto at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
      const auto behind = line.substr(at + word.size());
      const auto file = behind.find(kFile);
      const bool names_file =
          file != behind.npos && behind.substr(0, file).find_first_of(":,{ ") == behind.npos;
      if (!names_file || !is_path(behind.substr(file + kFile.size()))) return true;
    }
    return false;
  });
}

bool has_url_with_more(std::string_view line) {
  const auto at = line.find("://");
  return at != line.npos && line.find_first_of("@?", at) != line.npos;
}

// A key whose value may stand in the lines behind it, further to the right.
bool opens_a_secret(std::string_view line) {
  if (line.find("headers") != line.npos) return true;
  const auto end = line.find_last_not_of(" \t\r'\"");
  const std::string_view text = line.substr(0, end == line.npos ? 0 : end + 1);
  return text.ends_with("_file:") || text.ends_with("url:");
}

// Of the first key in the line, behind the marks of a list.
std::size_t indentation(std::string_view line) {
  const auto at = line.find_first_not_of(" \t-?");
  return at == line.npos ? 0 : at;
}

int brackets(std::string_view line) {
  int open = 0;
  for (const char c : line) open += (c == '{' || c == '[') - (c == '}' || c == ']');
  return open;
}

}  // namespace

std::vector<bool> secret_lines(std::string_view text) {
  std::vector<bool> secret;
  bool inside = false;
  int open = 0;  // brackets of what we are inside
  std::size_t border = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string line = lower(text.substr(0, end));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    const bool blank = line.find_first_not_of(" \t\r") == line.npos;
    if (inside && !blank && open <= 0 && indentation(line) <= border) inside = false;
    const bool opens = opens_a_secret(line);
    const bool named = names_a_secret(line);
    secret.push_back(inside || named || has_url_with_more(line) || line.find("headers") != line.npos);
    if (inside) {
      open += brackets(line);
    } else if (opens || named) {
      inside = true;
      open = brackets(line);
      border = indentation(line);
    }
  }
  return secret;
}

}  // namespace tideover::config
