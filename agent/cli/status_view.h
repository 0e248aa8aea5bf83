// The agent's status answers as a person reads them: pure.
#pragma once

#include <string>
#include <string_view>

#include "wal/base/result.h"

namespace tideover::cli {

struct StatusAnswers {  // bodies of /api/v1/status/...
  std::string buildinfo;
  std::string buffer;
  std::string destinations;
  std::string ledger;
};

// Errors: bad_input, when an answer is not what this version of the command knows.
Result<std::string> status_table(const StatusAnswers& answers, std::int64_t now_ms);
Result<std::string> status_json(const StatusAnswers& answers);  // one object with a member per answer

std::string human_bytes(std::uint64_t bytes);      // "1.2 GiB"
std::string human_count(std::uint64_t count);      // "12.3 M"
std::string human_seconds(double seconds);         // "2h42m", "3.2s", "4d3h"

}  // namespace tideover::cli
