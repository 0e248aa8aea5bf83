// Lines of a program from the parts that the runtime writes: a long one is split, and the parts of stdout and
// stderr may lie between each other.
//
// What is unfinished is part of a file's position: it is committed with it, so that a restart neither loses
// the beginning of a line nor reads it again. Pure; memory is bounded by twice `line_bytes_max`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/tail/cri_line.h"

namespace tideover::tail {

struct Line {
  std::int64_t time_ns = 0;  // of its last part: the one rule, so that a line read twice is the same twice
  Output output = Output::standard;
  std::string text;
  std::uint64_t cut_bytes = 0;  // that its end had beyond the longest line
};

class Joiner {
 public:
  explicit Joiner(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  std::optional<Line> add(const CriLine& part);  // a line that is whole with this part
  // The container has ended: what is left of a line is one. Call it until it has no more.
  std::optional<Line> take_unfinished();
  bool unfinished() const;
  bool unfinished(Output output) const { return open_[static_cast<std::size_t>(output)].begun; }

  std::string encode() const;           // empty: nothing is unfinished
  bool decode(std::string_view state);  // false, and nothing is unfinished: not a state of ours

 private:
  struct Open {
    bool begun = false;
    Line line;
  };

  Open& of(Output output) { return open_[static_cast<std::size_t>(output)]; }

  const std::size_t line_bytes_max_;
  std::array<Open, 2> open_;  // by Output
};

}  // namespace tideover::tail
