// What a page of metrics or an answer of the status should show, by a test's own account, and the comparison.
//
// A figure that is shown and not expected fails, as does one that is expected and not shown: a new one needs
// a line in the test. Within a kind ("samples", "requests", ...) no two are equal and none is 0, so that none
// can stand for another; what cannot be so is said to be an exception, with the reason.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

namespace tideover::test {

using Shown = std::map<std::string, std::string>;  // by series, or by path of the member: the value as text

inline Shown series_of(const std::string& page) {
  Shown shown;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with('#')) shown[line.substr(0, line.rfind(' '))] = line.substr(line.rfind(' ') + 1);
  return shown;
}

inline void add_members(Shown& shown, const std::string& path, const boost::json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object)
      add_members(shown, (path.empty() ? path : path + "/") + std::string(member.key()), member.value());
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      add_members(shown, path + "/" + std::to_string(i), array->at(i));
  } else {
    shown[path] = value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
  }
}

inline Shown members_of(const std::string& answer) {
  Shown shown;
  add_members(shown, "", boost::json::parse(answer));
  return shown;
}

class Figures {
 public:
  // A figure, and how far it may be off: what takes place between two looks at the clock.
  void is(std::string_view kind, const std::string& name, double value, double margin = 0) {
    add(name, value, margin);
    CAPTURE(kind, name, value);
    CHECK(value != 0);
    const auto [it, alone] = of_kind_[std::string(kind)].emplace(value, name);
    if (!alone) FAIL_CHECK(name << " and " << it->second << " are both " << value);
  }
  // The same of one that is 0, or as another, for a reason.
  void exception(std::string_view /*why*/, const std::string& name, double value, double margin = 0) {
    add(name, value, margin);
  }
  // Any number: what it says is not this test's affair.
  void any(std::string_view /*why*/, const std::string& name) { words_[name] = kAny; }
  void says(const std::string& name, std::string words) { words_[name] = std::move(words); }
  void holds(const std::string& name, std::string words) { parts_[name] = std::move(words); }

  void check(const Shown& shown) const {
    for (const auto& [name, text] : shown) {
      CAPTURE(name, text);
      if (const auto it = values_.find(name); it != values_.end()) {
        INFO("expected " << it->second.value);
        if (text == "null") {
          FAIL_CHECK("there is none");
          continue;
        }
        CHECK(std::abs(std::stod(text) - it->second.value) <= it->second.margin + 1e-6);
      } else if (const auto word = words_.find(name); word != words_.end()) {
        if (word->second != kAny) CHECK(text == word->second);
      } else if (const auto part = parts_.find(name); part != parts_.end()) {
        CHECK(text.find(part->second) != text.npos);
      } else {
        FAIL_CHECK("a figure that this test does not know");
      }
    }
    const auto is_shown = [&shown](const auto& expected) {
      for (const auto& [name, value] : expected) {
        CAPTURE(name);
        CHECK(shown.contains(name));
      }
    };
    is_shown(values_);
    is_shown(words_);
    is_shown(parts_);
  }

 private:
  static constexpr const char* kAny = "(any)";
  struct Value {
    double value;
    double margin;
  };
  void add(const std::string& name, double value, double margin) {
    CAPTURE(name);
    CHECK(values_.emplace(name, Value{value, margin}).second);
  }

  std::map<std::string, Value> values_;
  std::map<std::string, std::string> words_;
  std::map<std::string, std::string> parts_;
  std::map<std::string, std::map<double, std::string>> of_kind_;
};

}  // namespace tideover::test
