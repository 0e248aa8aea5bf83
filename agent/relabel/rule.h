// Relabelling as Prometheus does it (model/relabel/relabel.go), so that rules can be carried over as they
// are. Pure, but for the patterns, which are compiled once.
//
// What differs: names of labels are the classic ones, as Loki's are, and labelmap makes no others; lowercase
// and uppercase change the letters of ASCII and leave the rest as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/relabel/labels.h"
#include "agent/relabel/pattern.h"
#include "wal/base/result.h"

namespace tideover::relabel {

enum class Action : std::uint8_t {
  replace,
  keep,
  drop,
  keep_equal,
  drop_equal,
  hash_mod,
  label_map,
  label_drop,
  label_keep,
  lowercase,
  uppercase,
};
// By the words of a configuration, in any case. Errors: bad_input, naming those that there are.
Result<Action> parse_action(std::string_view word);

// As it is written; defaults as Prometheus has them.
struct RuleText {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  std::uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
  Action action = Action::replace;
};

class Rule {
 public:
  // Errors: bad_input, with what the action needs or does not take.
  static Result<Rule> compile(RuleText text);

  bool apply(Labels& labels) const;  // false: what has these labels is dropped

 private:
  Rule(RuleText text, Pattern regex) : text_(std::move(text)), regex_(std::move(regex)) {}
  void replace(Labels& labels, std::string_view value) const;
  void map_names(Labels& labels) const;

  RuleText text_;
  Pattern regex_;
};

// In order. False: dropped.
bool relabel(std::span<const Rule> rules, Labels& labels);

}  // namespace tideover::relabel
