// One request to an agent's admin listener, and its whole answer. Blocking, for commands: the agent never
// uses it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "wal/base/result.h"

namespace tideover::cli {

struct AdminTarget {
  std::string socket_path;  // of <data_dir>/admin.sock; or, when empty:
  std::string host;
  std::uint16_t port = 0;

  std::string name() const;  // as errors call it
};

struct AdminAnswer {
  int status = 0;
  std::string body;
};

// `path` may carry a query. Errors: connect_failed, timeout, connection_lost, too_large, bad_input.
Result<AdminAnswer> ask_admin(const AdminTarget& target, const std::string& method, const std::string& path,
                              std::chrono::milliseconds patience);

}  // namespace tideover::cli
