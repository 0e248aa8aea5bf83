// A sink that keeps what it was given.
#pragma once

#include <string>
#include <vector>

#include "agent/tail/line_reader.h"

namespace tideover::tail {

struct CollectedLine {
  std::int64_t time_ns = 0;
  Output output = Output::standard;
  std::string text;
  std::uint64_t cut_bytes = 0;
  bool foreign = false;

  bool operator==(const CollectedLine&) const = default;
};

class CollectedLines final : public LineSink {
 public:
  void line(const TailedLine& line) override {
    lines.push_back({line.time_ns, line.output, std::string(line.text), line.cut_bytes, line.foreign});
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const CollectedLine& line : lines) all.push_back(line.text);
    return all;
  }

  std::vector<CollectedLine> lines;
};

}  // namespace tideover::tail
