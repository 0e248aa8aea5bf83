// The agent's status answers as a person, or a script, reads them: pure.
//
// Timestamps of the answers are unix seconds; null stands for "there is none".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wal/base/result.h"

namespace tideover::cli {

struct StatusAnswers {  // the bodies of /api/v1/status/...
  std::string buildinfo;
  std::string buffer;
  std::string destinations;
  std::string ledger;
  std::string senders = {};  // empty: of an agent that was started before it said so
};

// Errors: bad_input, when an answer is not one that this version knows.
Result<std::string> status_table(const StatusAnswers& answers, double now_unix_seconds);

// One object with a member per answer. Errors: bad_input.
Result<std::string> status_json(const StatusAnswers& answers);

// Of /api/v1/status/buildinfo: where the agent listens, as its configuration says; none, of an agent that was
// started before it said so.
std::vector<std::string> listening_addresses(const std::string& body);

// Of /api/v1/status/destinations; of one signal, or of all when it is empty. Errors: bad_input.
Result<std::vector<std::string>> destination_names(const std::string& body, std::string_view signal = {});

// What a receiver answered, or somebody wrote, may hold anything: nothing of it may steer the terminal.
std::string printable(std::string_view text);

}  // namespace tideover::cli
