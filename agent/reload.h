// Judges a reload: everything that could keep the next image of the process from starting is tried while this
// one still runs, so that a faulty configuration changes nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.h"
#include "agent/inheritance/inheritance.h"
#include "agent/signal.h"
#include "wal/base/clock.h"

namespace tideover {

struct Listening {
  std::string address;  // as the configuration says it
  int descriptor = -1;
};

// What this image holds, and the next may go on with.
struct Holding {
  std::string data_dir;
  std::vector<Listening> listening;
  bool opened = false;                                // the store: before that nobody knows what is in it
  std::map<std::string, std::uint64_t> backlog = {};  // by signal: samples that are still to be delivered
};

// What a configuration would leave behind that nobody delivers then, with the count and the ways out;
// nullopt: nothing. Pure.
std::optional<std::string> left_behind(const Holding& holding, const config::Config& config,
                                       const SignalKinds& kinds);

struct Reload {
  Inheritance bequest;                 // the new file's text, and sockets for addresses that are new
  std::vector<std::string> addresses;  // all that the new configuration has servers for

  bool wants(std::string_view address) const;
};

std::string socket_address(const config::Config& config);  // of the operators' socket

// Blocking: reads files. What listens now goes on listening; what is new is bound beside it. `leave_backlog`:
// an operator knows what is left behind. Errors: bad_input with every fault of the file; store_refused,
// store_busy, io_error, bad_input in a sentence.
Result<Reload> prepare_reload(boost::asio::io_context& io, Clock& clock, const RunOptions& options,
                              const SignalKinds& kinds, const Holding& holding, bool leave_backlog);

}  // namespace tideover
