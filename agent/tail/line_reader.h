// Lines from blocks of a file's bytes: split, parsed, joined, bounded, made UTF-8.
//
// Two formats. `cri`: the runtime's lines (cri_line.h) with its times; what is none of them is a line of its
// own. `plain`: any text; a line's time is when it was read. Such times are given to the nanosecond and never
// twice, since Loki takes two equal lines of one time for one (research/logs.md section 5).
// A line that fits into the block is given as a part of the block, without a copy. What is unfinished is kept
// here and is part of the position, see encode(): the parts of lines that the runtime has split, and the
// beginning of a line that is longer than a block. Memory: four times `line_bytes_max`.
// Pure; one executor, any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/tail/cri_line.h"
#include "agent/tail/joiner.h"

namespace tideover::tail {

enum class Format : std::uint8_t { cri, plain };

struct TailedLine {
  std::int64_t time_ns = 0;  // unix
  Output output = Output::standard;
  std::string_view text;        // UTF-8; until the sink returns
  std::uint64_t cut_bytes = 0;  // that it had beyond the longest line
  bool foreign = false;         // not in the file's format, hence without a time of its own
};

class LineSink {
 public:
  virtual ~LineSink() = default;
  virtual void line(const TailedLine& line) = 0;
};

// What there is behind the bytes.
enum class Rest : std::uint8_t {
  unknown,  // perhaps more, some time: what has no line feed stays with the caller
  more,     // more, and no room for it with what is here: a line without an end is begun
  none,     // nothing ever: what has no line feed is a line
};

class LineReader {
 public:
  LineReader(Format format, std::size_t line_bytes_max)
      : format_(format), line_bytes_max_(line_bytes_max), joiner_(line_bytes_max) {}

  // Gives the lines that are whole to `sink`; returns how many bytes are done with.
  std::size_t take(std::string_view bytes, Rest rest, std::int64_t now_ns, LineSink& sink);
  // No part of a line will follow any more: the container has ended.
  void end(LineSink& sink);

  std::string encode() const;
  bool decode(std::string_view state);                               // false, and as new: not a state of ours
  bool unfinished() const { return long_ || joiner_.unfinished(); }  // a part of a line is in the state
  std::uint64_t lines() const { return lines_; }                     // given, of this object

 private:
  CriLine parse(std::string_view line, std::int64_t now_ns);
  void add(const CriLine& part, bool foreign, LineSink& sink);
  void give(const Line& line, LineSink& sink);

  // A line of the file whose end was not in the block.
  struct Long {
    std::int64_t time_ns = 0;
    Output output = Output::standard;
    bool partial = false;  // what the runtime says of it
  };

  const Format format_;
  const std::size_t line_bytes_max_;
  Joiner joiner_;
  std::optional<Long> long_;
  bool foreign_ = false;           // what parse() has just returned
  std::int64_t last_time_ns_ = 0;  // of a line; 0: there was none
  std::string scratch_;
  std::uint64_t lines_ = 0;
};

}  // namespace tideover::tail
