// Rules of relabelling against what Prometheus makes of the same ones, and what is refused of them.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "agent/relabel/rule.h"

namespace tideover::relabel {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  const json::string& text = value.as_string();
  return {text.data(), text.size()};
}

Labels labels_of(const json::value& object) {
  Labels labels;
  for (const auto& entry : object.as_object())
    set(labels, std::string(entry.key().data(), entry.key().size()), text_of(entry.value()));
  return labels;
}

RuleText rule_of(const json::object& from) {
  RuleText rule;
  if (from.contains("source_labels"))
    for (const json::value& name : from.at("source_labels").as_array())
      rule.source_labels.push_back(text_of(name));
  rule.separator = text_of(from.at("separator"));
  rule.regex = text_of(from.at("regex"));
  if (from.contains("modulus")) rule.modulus = from.at("modulus").to_number<std::uint64_t>();
  if (from.contains("target_label")) rule.target_label = text_of(from.at("target_label"));
  rule.replacement = text_of(from.at("replacement"));
  const auto action = parse_action(text_of(from.at("action")));
  REQUIRE(action.has_value());
  rule.action = *action;
  return rule;
}

TEST_CASE("rules do what Prometheus does with them") {
  std::ifstream file(TIDEOVER_SOURCE_DIR "/tests/data/relabel/cases.json");
  const json::value cases = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  CHECK(cases.as_array().size() > 70);
  for (const json::value& one : cases.as_array()) {
    INFO(json::serialize(one));
    std::vector<Rule> rules;
    for (const json::value& text : one.at("rules").as_array()) {
      auto rule = Rule::compile(rule_of(text.as_object()));
      REQUIRE(rule.has_value());
      rules.push_back(std::move(*rule));
    }
    Labels labels = labels_of(one.at("in"));
    const bool kept = relabel(rules, labels);
    CHECK(kept == one.at("keep").as_bool());
    if (kept) CHECK(labels == labels_of(one.at("out")));
  }
}

std::string why_not(RuleText rule) {
  const auto compiled = Rule::compile(std::move(rule));
  return compiled.has_value() ? std::string() : compiled.error().detail;
}

RuleText rule(Action action, std::string target = {}) {
  RuleText text;
  text.action = action;
  text.target_label = std::move(target);
  return text;
}

RuleText with(RuleText text, std::string RuleText::*member, std::string value) {
  text.*member = std::move(value);
  return text;
}

TEST_CASE("a rule that cannot be meant is refused with what it lacks, or has too much") {
  RuleText modulus = rule(Action::hash_mod);
  modulus.modulus = 3;
  RuleText sources = rule(Action::label_drop);
  sources.source_labels = {"a"};
  const auto regex = &RuleText::regex;
  const auto replacement = &RuleText::replacement;
  const std::vector<std::pair<RuleText, std::string>> wrong = {
      {rule(Action::replace), "replace needs a target_label"},
      {rule(Action::replace, "a-b"), "\"a-b\" is not the name of a label"},
      {rule(Action::replace, "1a"), "is not the name"},
      {rule(Action::replace, "a$-"), "is not the name"},
      {rule(Action::replace, "a${1"), "is not the name"},
      {rule(Action::replace, "a$$"), "is not the name"},
      {rule(Action::lowercase, "$1"), "is not the name"},
      {rule(Action::hash_mod, "a"), "a modulus that is not 0"},
      {modulus, "hashmod needs a target_label"},
      {with(rule(Action::label_map), replacement, "a-$1"), "does not make the name of a label"},
      {sources, "labeldrop takes a regex, and nothing else"},
      {with(rule(Action::label_keep), replacement, "x"), "labelkeep takes a regex, and nothing else"},
      {with(rule(Action::keep_equal, "a"), regex, "x"), "keepequal takes source_labels"},
      {with(rule(Action::uppercase, "a"), replacement, "x"), "uppercase takes no replacement"},
      {with(rule(Action::replace, "a"), regex, "("), "not a regular expression of RE2: "},
      {with(rule(Action::replace, "a"), regex, "(?!x)"), "not a regular expression of RE2: "},
      {with(rule(Action::replace, "a"), regex, "((x{100}){100}){100}"), "not a regular expression of RE2: "},
  };
  for (const auto& [text, words] : wrong) {
    CAPTURE(words);
    CHECK(why_not(text).find(words) != std::string::npos);
  }
}

TEST_CASE("a group is named as Go names it, and what only looks like one is left alone") {
  for (const auto& [regex, value] : std::vector<std::pair<std::string, std::string>>{
           {"(?<n>a)", "a"}, {"(?P<n>a)", "a"}, {R"(\(\?<(?<n>a)>)", "(?<a>"}, {"[(?<b>]+(?<n>a)", "(?<a"}}) {
    CAPTURE(regex);
    RuleText text = with(rule(Action::replace, "to"), &RuleText::regex, regex);
    text.source_labels = {"from"};
    text.replacement = "$n";
    auto named = Rule::compile(text);
    REQUIRE(named.has_value());
    Labels labels{{"from", value}};
    CHECK(named->apply(labels));
    CHECK(get(labels, "to") == "a");
  }
}

TEST_CASE("what is unusual and meant is taken") {
  CHECK(why_not(rule(Action::replace, "${1}_${name}")).empty());
  CHECK(why_not(rule(Action::replace, "_")).empty());
  CHECK(why_not(with(rule(Action::label_drop), &RuleText::regex, "x")).empty());
  CHECK(why_not(with(rule(Action::label_map), &RuleText::replacement, "pod_$1")).empty());
}

TEST_CASE("actions are named in any case, and one that is not there names those that are") {
  CHECK(parse_action("LabelMap").value() == Action::label_map);
  const auto none = parse_action("rename");
  REQUIRE(none.has_error());
  CHECK(none.error().detail.find("replace, keep, drop, keepequal") != std::string::npos);
}

TEST_CASE("labelmap makes no label that could not be sent") {
  auto map = Rule::compile(with(rule(Action::label_map), &RuleText::regex, "(x?)a.*"));
  REQUIRE(map.has_value());
  Labels labels{{"a", "1"}, {"xab", "2"}};
  CHECK(map->apply(labels));
  CHECK(labels == Labels{{"a", "1"}, {"x", "2"}, {"xab", "2"}});
}

TEST_CASE("a pattern that would take long elsewhere takes no longer than its text") {
  RuleText text = with(rule(Action::keep), &RuleText::regex, "(x+x+)+y");
  text.source_labels = {"a"};
  auto keep = Rule::compile(text);
  REQUIRE(keep.has_value());
  std::string value;
  value.assign(100'000, 'x');
  Labels labels{{"a", value}};
  CHECK_FALSE(keep->apply(labels));
}

}  // namespace
}  // namespace tideover::relabel
