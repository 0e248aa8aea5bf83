// A regular expression that matches a whole text, and templates that its groups fill. RE2, in the syntax that
// Go's regexp has: both come from one hand.
//
// Any thread. Matching takes time in proportion to the text, whatever the pattern is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wal/base/result.h"

namespace tideover::relabel {

class Pattern {
 public:
  // What a pattern may take, compiled: larger ones are refused.
  static constexpr std::int64_t kMemoryMax = 1 << 20;

  // Errors: bad_input, with the reason in RE2's words.
  static Result<Pattern> compile(const std::string& text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  bool matches(std::string_view text) const;
  // The whole, then its groups; nullopt where it does not match. They refer to `text`.
  std::optional<std::vector<std::string_view>> groups(std::string_view text) const;
  // As Go's Regexp.Expand: $1 and $name take the longest run of letters, digits and _; ${1} and ${name};
  // $$ is a dollar; what names no group is empty; a dollar that begins none of these stays.
  std::string expand(std::string_view tmpl, const std::vector<std::string_view>& groups) const;

  const std::string& text() const { return text_; }

 private:
  struct Compiled;
  Pattern(std::string text, std::unique_ptr<Compiled> compiled);

  std::string text_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace tideover::relabel
