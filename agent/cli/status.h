// `tideover status`: asks the running agent, over its socket or its admin address.
#pragma once

#include <iosfwd>
#include <string>

#include "agent/cli/admin_client.h"

namespace tideover::cli {

struct StatusOptions {  // one of the first three; none: the default data directory
  std::string data_dir;
  std::string config_path;
  std::string admin_url;
  bool expand_env = false;
  bool json = false;
};

// Blocking. 0 when the agent answered, 1 when it did not, 2 for a bad configuration or address.
int status(const StatusOptions& options, std::ostream& out, std::ostream& err);

// Where the agent is that the options mean. Errors: bad_input, with the text for the terminal.
Result<AdminTarget> find_target(const StatusOptions& options);
// The same that none answers there.
std::string no_answer(const AdminTarget& target, const Error& error);

}  // namespace tideover::cli
