// Requests to paths that are not there, as sentences for the log: a sender with a wrong address is told 404,
// and drops its data for good, so its operator must be able to learn of it here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wal/base/clock.h"

namespace tideover::server {

struct Stray {
  std::string_view method;
  std::string_view target;  // what follows "?" may hold a secret, and is left out
  std::string_view from;
};

// Pure. A line a minute at most for requests that bring something, and one for the others: a probe that asks
// again and again does not hide a sender.
class StrayLog {
 public:
  std::optional<std::string> note(const Stray& stray, Time now);

 private:
  struct Line {
    Time not_before = Time::min();
    std::uint64_t since = 0;  // that had no line of their own
  };
  std::array<Line, 2> lines_;
};

}  // namespace tideover::server
