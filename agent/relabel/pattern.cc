#include "agent/relabel/pattern.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <re2/re2.h>
#include <utility>

namespace tideover::relabel {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// What stands behind a dollar: the name of a group, and how long it is written there.
struct Reference {
  std::string_view name;
  std::size_t written = 0;  // 0: none
};

Reference reference_at(std::string_view text) {
  const bool braces = text.starts_with('{');
  if (braces) text.remove_prefix(1);
  const auto end = std::find_if_not(text.begin(), text.end(), is_word);
  const auto length = static_cast<std::size_t>(end - text.begin());
  if (length == 0 || (braces && (end == text.end() || *end != '}'))) return {};
  return {text.substr(0, length), braces ? length + 2 : length};
}

// Go has (?<name>...) beside (?P<name>...), and the RE2 of Debian 12 only the latter.
std::string with_named_groups(std::string_view text) {
  std::string out;
  bool in_class = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    if (rest.front() == '\\') {
      out.append(rest.substr(0, 2));
      ++at;
      continue;
    }
    if (in_class)
      in_class = rest.front() != ']';
    else
      in_class = rest.front() == '[';
    const bool named = !in_class && rest.starts_with("(?<") && rest.size() > 3 && is_word(rest[3]);
    out.append(named ? "(?P" : rest.substr(0, 1));
    if (named) ++at;
  }
  return out;
}

}  // namespace

struct Pattern::Compiled {
  Compiled(const std::string& text, const re2::RE2::Options& options)
      : re("(?s:" + with_named_groups(text) + ")", options) {}
  re2::RE2 re;
};

Pattern::Pattern(std::string text, std::unique_ptr<Compiled> compiled)
    : text_(std::move(text)), compiled_(std::move(compiled)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Result<Pattern> Pattern::compile(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemoryMax);
  auto compiled = std::make_unique<Compiled>(text, options);
  if (!compiled->re.ok())
    return fail(Errc::bad_input,
                fmt::format("it is not a regular expression of RE2: {}", compiled->re.error()));
  return Pattern(text, std::move(compiled));
}

bool Pattern::matches(std::string_view text) const { return re2::RE2::FullMatch(piece(text), compiled_->re); }

std::optional<std::vector<std::string_view>> Pattern::groups(std::string_view text) const {
  const int count = compiled_->re.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(count));
  if (!compiled_->re.Match(piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, found.data(), count))
    return std::nullopt;
  std::vector<std::string_view> groups;
  for (const re2::StringPiece& group : found) groups.emplace_back(group.data(), group.size());
  return groups;
}

std::string Pattern::expand(std::string_view tmpl, const std::vector<std::string_view>& groups) const {
  const auto value_of = [&](std::string_view name) -> std::string_view {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool plain = name.size() == 1 || name.front() != '0';  // $01 is the name of a group
    if (plain && error == std::errc{} && end == name.data() + name.size())
      return number < groups.size() ? groups[number] : std::string_view();
    const auto& names = compiled_->re.NamedCapturingGroups();
    const auto named = names.find(std::string(name));
    return named == names.end() ? std::string_view() : groups[static_cast<std::size_t>(named->second)];
  };
  std::string out;
  for (std::size_t dollar = tmpl.find('$'); dollar != tmpl.npos; dollar = tmpl.find('$')) {
    out.append(tmpl.substr(0, dollar));
    tmpl.remove_prefix(dollar + 1);
    if (tmpl.starts_with('$')) {
      out += '$';
      tmpl.remove_prefix(1);
      continue;
    }
    const Reference reference = reference_at(tmpl);
    if (reference.written == 0)
      out += '$';
    else
      out.append(value_of(reference.name));
    tmpl.remove_prefix(reference.written);
  }
  return out.append(tmpl);
}

}  // namespace tideover::relabel
