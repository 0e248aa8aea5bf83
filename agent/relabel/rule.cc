#include "agent/relabel/rule.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <utility>

namespace tideover::relabel {
namespace {

constexpr std::array<std::pair<std::string_view, Action>, 11> kActions{{{"replace", Action::replace},
                                                                        {"keep", Action::keep},
                                                                        {"drop", Action::drop},
                                                                        {"keepequal", Action::keep_equal},
                                                                        {"dropequal", Action::drop_equal},
                                                                        {"hashmod", Action::hash_mod},
                                                                        {"labelmap", Action::label_map},
                                                                        {"labeldrop", Action::label_drop},
                                                                        {"labelkeep", Action::label_keep},
                                                                        {"lowercase", Action::lowercase},
                                                                        {"uppercase", Action::uppercase}}};

std::string_view word_of(Action action) {
  return std::ranges::find(kActions, action, [](const auto& entry) { return entry.second; })->first;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

// The last eight bytes of the MD5, as Prometheus takes them.
std::uint64_t hash_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::uint64_t hash = 0;
  for (std::size_t i = 8; i < 16; ++i) hash = hash << 8 | digest[i];
  return hash;
}

// A name that groups fill is legal when what stands between the references is.
bool is_name_template(std::string_view text) {
  std::string filled;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$') {
      filled += text[at];
      continue;
    }
    const bool braces = at + 1 < text.size() && text[at + 1] == '{';
    const std::size_t end = braces ? text.find('}', at) : at + 1;
    if (end == text.npos || (!braces && (end >= text.size() || !is_word(text[end])))) return false;
    filled += 'x';
    at = end;
  }
  return is_label_name(filled);
}

bool needs_target(Action action) {
  switch (action) {
    case Action::replace:
    case Action::hash_mod:
    case Action::lowercase:
    case Action::uppercase:
    case Action::keep_equal:
    case Action::drop_equal: return true;
    case Action::keep:
    case Action::drop:
    case Action::label_map:
    case Action::label_drop:
    case Action::label_keep: return false;
  }
  return false;
}

// Why the rule cannot be meant; empty: it can.
std::string complaint(const RuleText& rule) {
  const std::string_view action = word_of(rule.action);
  const RuleText defaults;
  if (needs_target(rule.action)) {
    const bool filled = rule.action == Action::replace && rule.target_label.find('$') != std::string::npos;
    if (rule.target_label.empty()) return fmt::format("{} needs a target_label", action);
    if (!(filled ? is_name_template(rule.target_label) : is_label_name(rule.target_label)))
      return fmt::format("\"{}\" is not the name of a label: write letters, digits and _", rule.target_label);
  }
  if (rule.action == Action::hash_mod && rule.modulus == 0) return "hashmod needs a modulus that is not 0";
  if (rule.action == Action::label_map && !is_name_template(rule.replacement))
    return fmt::format("\"{}\" does not make the name of a label", rule.replacement);
  const bool alone = rule.action == Action::label_drop || rule.action == Action::label_keep;
  if (alone && (!rule.source_labels.empty() || !rule.target_label.empty() || rule.modulus != 0 ||
                rule.separator != defaults.separator || rule.replacement != defaults.replacement))
    return fmt::format("{} takes a regex, and nothing else", action);
  const bool equal = rule.action == Action::keep_equal || rule.action == Action::drop_equal;
  if (equal && (rule.regex != defaults.regex || rule.modulus != 0 || rule.separator != defaults.separator ||
                rule.replacement != defaults.replacement))
    return fmt::format("{} takes source_labels and a target_label, and nothing else", action);
  const bool cases = rule.action == Action::lowercase || rule.action == Action::uppercase;
  if (cases && rule.replacement != defaults.replacement)
    return fmt::format("{} takes no replacement", action);
  return {};
}

}  // namespace

bool is_label_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_word);
}

Result<Action> parse_action(std::string_view word) {
  const std::string plain = lower(word);
  const auto known = std::ranges::find(kActions, plain, [](const auto& entry) { return entry.first; });
  if (known != kActions.end()) return known->second;
  std::string all;
  for (const auto& [name, action] : kActions) all.append(all.empty() ? "" : ", ").append(name);
  return fail(Errc::bad_input, fmt::format("there is no such action: write one of {}", all));
}

Result<Rule> Rule::compile(RuleText text) {
  if (std::string why = complaint(text); !why.empty()) return fail(Errc::bad_input, std::move(why));
  auto regex = Pattern::compile(text.regex);
  if (!regex) return regex.error();
  return Rule(std::move(text), std::move(*regex));
}

bool Rule::apply(Labels& labels) const {
  std::string value;
  for (std::size_t i = 0; i < text_.source_labels.size(); ++i)
    value.append(i == 0 ? "" : text_.separator).append(get(labels, text_.source_labels[i]));
  switch (text_.action) {
    case Action::replace: replace(labels, value); return true;
    case Action::keep: return regex_.matches(value);
    case Action::drop: return !regex_.matches(value);
    case Action::keep_equal: return get(labels, text_.target_label) == value;
    case Action::drop_equal: return get(labels, text_.target_label) != value;
    case Action::hash_mod:
      set(labels, text_.target_label, std::to_string(hash_of(value) % text_.modulus));
      return true;
    case Action::label_map: map_names(labels); return true;
    case Action::label_drop:
      std::erase_if(labels, [this](const auto& label) { return regex_.matches(label.first); });
      return true;
    case Action::label_keep:
      std::erase_if(labels, [this](const auto& label) { return !regex_.matches(label.first); });
      return true;
    case Action::lowercase: set(labels, text_.target_label, lower(value)); return true;
    case Action::uppercase: set(labels, text_.target_label, upper(value)); return true;
  }
  return true;
}

void Rule::replace(Labels& labels, std::string_view value) const {
  const auto groups = regex_.groups(value);
  if (!groups) return;
  const std::string target = regex_.expand(text_.target_label, *groups);
  if (is_label_name(target)) set(labels, target, regex_.expand(text_.replacement, *groups));
}

// Of the names as they were when the rule began: what it adds is not mapped again.
void Rule::map_names(Labels& labels) const {
  std::vector<std::pair<std::string, std::string>> mapped;
  for (const auto& [name, value] : labels)
    if (const auto groups = regex_.groups(name))
      if (std::string to = regex_.expand(text_.replacement, *groups); is_label_name(to))
        mapped.emplace_back(std::move(to), value);
  for (auto& [name, value] : mapped) set(labels, name, std::move(value));
}

bool relabel(std::span<const Rule> rules, Labels& labels) {
  return std::ranges::all_of(rules, [&labels](const Rule& rule) { return rule.apply(labels); });
}

}  // namespace tideover::relabel
