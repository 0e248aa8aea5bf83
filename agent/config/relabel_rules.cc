#include "agent/config/relabel_rules.h"

#include <utility>

#include "wal/base/invariant.h"

namespace tideover::config {

Result<relabel::Rule> compile(const Relabel& rule) {
  const Result<relabel::Action> action = relabel::parse_action(rule.action);
  if (!action) return action.error();
  relabel::RuleText text;
  text.source_labels = rule.source_labels;
  text.separator = rule.separator;
  text.regex = rule.regex;
  text.modulus = rule.modulus.n;
  text.target_label = rule.target_label;
  text.replacement = rule.replacement;
  text.action = *action;
  return relabel::Rule::compile(std::move(text));
}

std::vector<relabel::Rule> compile_all(const std::vector<Relabel>& rules) {
  std::vector<relabel::Rule> compiled;
  for (const Relabel& rule : rules) {
    Result<relabel::Rule> one = compile(rule);
    invariant(one.has_value(), "the rules of a configuration were tried when it was read");
    compiled.push_back(std::move(*one));
  }
  return compiled;
}

}  // namespace tideover::config
